"""Resources with data: their settings, their removal and their replacement."""
