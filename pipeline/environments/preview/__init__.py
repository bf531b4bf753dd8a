"""Preview the changes of an operation on a deployed environment."""
