"""Build, check and publish a release, and launch its environments."""
