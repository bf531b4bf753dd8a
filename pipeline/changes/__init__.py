"""What CloudFormation does to each resource of an environment when its templates or values change."""
