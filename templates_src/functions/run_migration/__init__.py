"""Runs the migration of a new image as an ECS task, before any service changes."""
