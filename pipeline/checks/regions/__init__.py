"""Find the regions where an environment can be launched: its resources, the schemas of each region, and the obstacles."""
