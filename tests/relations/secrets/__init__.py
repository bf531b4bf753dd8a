"""Secrets, keys and the settings of the application."""
