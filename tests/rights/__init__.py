"""What decides which code runs, and with whose permissions."""
