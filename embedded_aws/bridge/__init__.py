"""Access to ministack: resource types and calls to its services."""
