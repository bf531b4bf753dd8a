"""A template's text: CloudFormation's intrinsic functions and example values of resources."""
