"""Environments by way of Service Catalog, as a user of the product: launched, updated, looked at, terminated."""
