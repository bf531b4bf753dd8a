"""Checks the application's own settings before tasks get them."""
