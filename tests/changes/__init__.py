"""What a change does, before it is made."""
