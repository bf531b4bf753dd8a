"""What change sets report and validate."""
