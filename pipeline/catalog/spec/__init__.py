"""catalog.yaml: its checks, its model and its JSON Schema."""
