"""Resource types of the network and its edge."""
