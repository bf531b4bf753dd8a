"""The reference of the parameters: what each accepts, what it is in each profile, and what a change of it does."""
