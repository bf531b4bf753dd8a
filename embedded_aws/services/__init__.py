"""Service APIs that ministack does not have: small stores of what was put into them."""
