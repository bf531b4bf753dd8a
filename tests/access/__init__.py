"""The roles of people and machines: their permissions, and the principals that can assume them."""
