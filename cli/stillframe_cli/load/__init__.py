"""Load tests: when to send messages, who sends them, and how they ended."""
