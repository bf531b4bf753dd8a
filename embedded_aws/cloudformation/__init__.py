"""What this package adds to ministack's CloudFormation."""
