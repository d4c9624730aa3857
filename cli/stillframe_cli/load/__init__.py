"""Load tests: when what is sent, by how many at once, and what became of it."""
