"""The check of an account before a launch, and the environments that were launched in it."""
