"""Subnets, security groups, the load balancer and the firewall."""
