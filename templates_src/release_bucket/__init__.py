"""The bucket that releases are kept in."""
