"""What is asked for: the message, the request in it, its options and its secrets."""
