"""Mutation testing: plant faults systematically, and see which of the project's checks find them."""
