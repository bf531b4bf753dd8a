"""Assemble a release: templates, names within limits, function packages and the upload."""
