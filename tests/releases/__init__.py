"""Kept releases, which updates are tested from."""
