"""What concerns every template: parameters, rules, names, tags and order."""
