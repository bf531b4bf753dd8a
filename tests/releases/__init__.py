"""The previous release, from which updates start."""
