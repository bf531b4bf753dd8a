"""Publish a release in AWS Service Catalog: the desired catalog, the observed catalog, a plan and its application."""
