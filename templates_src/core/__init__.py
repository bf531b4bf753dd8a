"""The parts of every template, and the values that the layers share."""
