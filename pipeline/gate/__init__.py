"""The release gate: what a release breaks for users or data, the release notes that give the reason, and the version."""
