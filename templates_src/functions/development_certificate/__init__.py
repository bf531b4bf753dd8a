"""Custom resource: a self-signed certificate for a load balancer that has no other."""
