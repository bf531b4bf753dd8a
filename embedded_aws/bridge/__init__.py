"""The way into ministack: resource types and calls to its services."""
