"""Where a page may connect to."""
