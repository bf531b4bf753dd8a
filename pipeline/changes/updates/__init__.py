"""What an update of a resource does: replacement, loss of data, and values that AWS refuses."""
