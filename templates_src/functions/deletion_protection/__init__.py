"""Deletion protection of an environment: its database, its load balancer and its root stack."""
