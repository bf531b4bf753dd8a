"""Measure the work that waits for each running worker task, once a minute."""
