"""Functions, their code, and the custom resources that they serve."""
