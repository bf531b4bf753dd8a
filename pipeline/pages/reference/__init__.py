"""The parameter reference: accepted values, the values of the profiles, and the effects of a change."""
