"""The functions of the root: the check before all other resources, and the protection after them."""
