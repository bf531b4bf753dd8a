"""The resources of the environments: what a change of each does, and what each costs a month."""
