"""What each command of build.py does: options and output here, the work in pipeline."""
