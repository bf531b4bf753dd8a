"""Custom resource: a self-signed certificate for a load balancer without another one."""
