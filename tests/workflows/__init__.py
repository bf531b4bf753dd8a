"""GitHub's workflows."""
