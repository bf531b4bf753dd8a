"""Real servers for the tests: fetched by `make setup`, started on loopback."""
