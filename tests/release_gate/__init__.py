"""What a release breaks, its notes, the version that it needs, and the refusal of a publication."""
