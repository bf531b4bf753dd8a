"""The desired Service Catalog of a region: catalog.yaml and a release, with all names, ARNs and templates."""
