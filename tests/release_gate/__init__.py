"""The release gate: breaking changes, notes, the needed version, and the refusal of a publication."""
