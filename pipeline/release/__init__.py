"""A release: assembled, named within limits, packaged and uploaded."""
