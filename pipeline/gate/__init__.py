"""The release gate: breaking changes for users and data, the release notes with the reasons, and the version number."""
