"""The migrations of the database: `python -m app.migrate`, the MigrationCommand of this application.

All new steps run in one transaction: if one fails, the database is as before, and the next update runs them again. The tasks
of the former image work with the new schema too, until they are replaced.
"""

from app import database

STEPS: tuple[str, ...] = (database.TABLE,)


def main() -> None:
    """Run the steps that have not run. Two migrations at once wait for each other."""
    with database.connect() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        connection.execute("CREATE TABLE IF NOT EXISTS migrations (step integer PRIMARY KEY)")
        (done,) = connection.execute("SELECT count(*) FROM migrations").fetchone() or (0,)
        for number, step in list(enumerate(STEPS))[done:]:
            print(f"step {number}: {step}")
            connection.execute(step.encode())
            connection.execute("INSERT INTO migrations VALUES (%s)", (number,))


if __name__ == "__main__":
    main()
