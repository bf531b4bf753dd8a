"""Values that a layer outputs and later layers receive, one module for each layer that outputs them."""
