"""Checks of a resource's properties before it is created or updated."""
