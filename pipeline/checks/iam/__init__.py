"""Evaluate IAM policies as AWS does: statements, conditions, and the decision over all policies of a request."""
