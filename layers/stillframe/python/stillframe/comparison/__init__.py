"""Comparing two screenshots: what changed, what only moved, and what is left out."""
