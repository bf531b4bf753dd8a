"""The search server, its volume and its boot script."""
