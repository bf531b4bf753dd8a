"""The role that Service Catalog uses to launch the products."""
