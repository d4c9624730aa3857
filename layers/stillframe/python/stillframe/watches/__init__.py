"""Pages that are captured again and again: watches, their schedules and periods, and what became of each period."""
