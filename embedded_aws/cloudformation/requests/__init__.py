"""What CloudFormation checks in a request before it starts an operation."""
