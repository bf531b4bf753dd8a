"""taskcat over every environment and the layers that launch alone, in several regions of an embedded AWS."""
