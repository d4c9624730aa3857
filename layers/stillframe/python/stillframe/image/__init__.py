"""What rendering gives, and the object that it becomes."""
