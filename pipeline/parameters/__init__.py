"""Parameter values: the environment profiles and the relations between values."""
