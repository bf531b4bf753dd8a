"""Custom resource: the buckets of an environment that is deleted."""
