"""The Lambda functions of the templates, one package each (see README.md for the convention)."""
