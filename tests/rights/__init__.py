"""The parameters that decide which code runs, and the permissions of the code."""
