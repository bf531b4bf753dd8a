"""The Service Catalog side of a release: what catalog.yaml asks for, what is there, and the way from one to the other."""
