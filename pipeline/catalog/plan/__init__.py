"""Compute the plan: steps from the observed to the desired catalog; pure functions."""
