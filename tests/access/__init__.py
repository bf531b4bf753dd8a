"""The roles of people and machines: what they may do, who may assume them, and that nothing else is allowed."""
