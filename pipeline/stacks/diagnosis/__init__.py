"""What AWS knows about an environment's services: their failures, logs, and one-off tasks."""
