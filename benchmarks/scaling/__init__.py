"""How the worker's scaling policy, as configured, meets a burst, a ramp and a loss of Spot capacity."""
