"""The role with which Service Catalog launches the products."""
