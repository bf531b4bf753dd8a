"""Environments that are launched: operations with Service Catalog, previews of operations, and deletions."""
