"""What an operation does to a deployed environment, before it is made."""
