"""Examines what a worker or a laptop needs to capture, and says what is missing and what to do about it."""
