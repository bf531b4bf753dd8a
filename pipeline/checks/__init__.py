"""Checks of a release before a launch: rendering, lint, permissions and regions."""
