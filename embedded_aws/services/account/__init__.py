"""The managed policies and the quotas of an account."""
