"""One page: what is done to it, and what is taken from it."""
