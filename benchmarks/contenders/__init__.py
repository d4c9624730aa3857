"""Who takes the same pictures of the same pages. Each is a process of its own that prints a line for each capture."""
