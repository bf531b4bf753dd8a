"""Parameters: their declaration, their groups on the form, and those that layers share or pass on."""
