"""The observed Service Catalog of a region; read-only calls."""
