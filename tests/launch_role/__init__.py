"""The launch role against the provider schemas, and the release bucket."""
