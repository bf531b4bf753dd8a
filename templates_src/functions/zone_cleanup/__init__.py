"""Custom resource: the records that remain in a private zone when its stack is deleted."""
