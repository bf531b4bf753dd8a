"""Every operation in the life of an environment, in order, each with the state that it must end in."""
