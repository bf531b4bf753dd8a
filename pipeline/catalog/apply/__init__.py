"""Apply the steps of a plan; every step is safe to repeat."""
