"""Checks of a launch and of an update that run before anything is created or changed."""
