"""What is launched: one module a template, six layers and the root that nests them."""
