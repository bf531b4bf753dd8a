"""The drills of docs/recovery.md, executed command by command."""
