"""Tells others what has happened to screenshots: reads the table's stream, and sends an event for each completion."""
