"""Another image for the environment that the function belongs to."""
