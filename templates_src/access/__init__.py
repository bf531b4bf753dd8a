"""The roles of people and machines: who launches, who publishes, and who tests in an account."""
