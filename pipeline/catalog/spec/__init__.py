"""catalog.yaml: checks, model and JSON Schema."""
