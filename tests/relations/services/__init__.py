"""The services and tasks of the application, their queues and their migration."""
