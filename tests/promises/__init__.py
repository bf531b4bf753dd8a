"""Every promise of the documentation names the checks that hold it."""
