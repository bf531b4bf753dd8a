"""The release before this one, as it was launched: what an update starts from."""
