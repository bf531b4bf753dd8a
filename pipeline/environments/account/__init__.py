"""The account before a launch: quotas, names, region, certificate, and what was launched in it."""
