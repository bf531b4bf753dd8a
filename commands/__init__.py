"""The commands of build.py: their options and output. The pipeline does the work."""
