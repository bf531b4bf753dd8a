"""How templates are written, and what their layers share."""
