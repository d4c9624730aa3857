"""Posts webhook messages to the URLs that they are for."""
