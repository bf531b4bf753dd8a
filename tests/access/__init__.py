"""The roles of people and machines: their permissions, the principals that can assume them, and that nothing else is allowed."""
