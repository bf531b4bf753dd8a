"""ECS tasks that a request starts: they run a program, or end at once, and leave an exit code and log lines."""
