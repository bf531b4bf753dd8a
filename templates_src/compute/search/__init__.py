"""The search server: its instance, its address, its role and its boot script."""
