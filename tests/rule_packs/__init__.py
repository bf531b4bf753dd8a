"""Rules that others maintain: cdk-preflight on plain templates, and cfn-lint's informational rules."""
