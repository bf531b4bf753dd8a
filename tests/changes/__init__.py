"""The comparison of releases and values."""
