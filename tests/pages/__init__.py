"""The site of `build.py pages`."""
