"""Reasons of failed services, logs and one-off tasks, on the embedded AWS."""
