"""The order of deletion, the deletions that AWS refuses, and what a failed rollback keeps."""
