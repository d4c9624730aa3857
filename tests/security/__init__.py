"""Hostile pages and hostile names, through the real browser and the real guard."""
