"""Every minute: how much work waits for each running worker task."""
