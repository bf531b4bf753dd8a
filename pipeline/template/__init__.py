"""Evaluate a template: CloudFormation's intrinsic functions, and example values of resources."""
