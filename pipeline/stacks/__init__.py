"""Stack operations: deploy, follow events, read early validation."""
