"""What this machine does for watches: it sends what is due, keeps schedules and baselines, and shows history."""
