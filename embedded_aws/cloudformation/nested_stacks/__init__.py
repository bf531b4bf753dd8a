"""Nested stacks: operations, events, cleanup and change sets."""
