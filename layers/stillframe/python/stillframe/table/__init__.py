"""The table: the record of each screenshot, its transitions, and the other items that are written conditionally."""
