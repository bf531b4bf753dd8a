"""From source to release, what can be said of a release before it is launched, and its publication."""
