"""The order of deletion, and the deletions that AWS refuses."""
