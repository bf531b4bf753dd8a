"""Simulate the configured scaling policy of the worker under a burst, a ramp and a loss of Spot capacity."""
