"""Resource types that store data."""
