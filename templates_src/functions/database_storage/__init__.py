"""The storage that RDS has allocated to the database, as a metric."""
