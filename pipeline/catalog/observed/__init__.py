"""What a region's Service Catalog holds now; reading calls only."""
