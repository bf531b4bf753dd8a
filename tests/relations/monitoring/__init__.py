"""Alarms, dashboard and schedules."""
