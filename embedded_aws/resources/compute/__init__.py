"""Resource types that run code, and their scaling."""
