"""Programs that capture the same pages in the same way. Each is a process that prints one line per capture."""
