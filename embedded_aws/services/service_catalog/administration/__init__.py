"""What administrators do in Service Catalog: portfolios, products, constraints, permissions and shares."""
