"""The command blocks of README.md and docs/: each is run by a test, or listed with the reason why it is only parsed."""
