"""From the release before this one to this one: what an update must leave as it was."""
