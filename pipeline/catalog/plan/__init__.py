"""The steps from observed to desired: pure functions."""
