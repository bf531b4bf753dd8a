"""What an environment costs a month: prices, and the cost of each resource of a rendered template."""
