"""What runs in a task: containers of api, worker, beat and migration, their settings and sizes."""
