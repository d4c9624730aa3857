"""The image: what rendering gives, and the object that it becomes."""
