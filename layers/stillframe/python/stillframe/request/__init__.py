"""The message, the request in it, its options and its secrets."""
