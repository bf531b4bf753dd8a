"""The bucket that contains the releases."""
