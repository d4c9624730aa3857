"""The table: the record of a screenshot, its life, and what else is kept under a condition."""
