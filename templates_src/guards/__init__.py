"""What the root owns beside its nested stacks: the check before everything else, and the protection after it."""
