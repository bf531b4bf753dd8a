"""Custom resource: the PostgreSQL extensions of a database."""
