"""Where an environment can be launched: what it uses, what the schemas at hand say of each region, and why not."""
