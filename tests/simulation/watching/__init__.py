"""A week of a watched page: schedulers, workers and the page itself in virtual time, under every fault."""
