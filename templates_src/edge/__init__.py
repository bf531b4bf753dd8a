"""The edge layer."""
