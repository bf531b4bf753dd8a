"""Evaluate a template: CloudFormation's intrinsic functions, references in values, and example values of resources."""
