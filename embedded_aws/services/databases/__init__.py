"""RDS database instances: snapshots, restores, and a real PostgreSQL behind each instance where a database host is connected."""
