"""What a region's Service Catalog must hold: catalog.yaml and a release, with every name, ARN and template."""
