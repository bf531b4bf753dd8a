"""Taking the steps of a plan; every step can be repeated."""
