"""The templates: one module per template, six layers and the root that nests them."""
