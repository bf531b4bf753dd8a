"""The operations of Service Catalog administrators: portfolios, products, constraints, permissions and shares."""
