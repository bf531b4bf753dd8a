"""Tests of the function that measures the queues, with real Celery workers and a real Valkey."""
