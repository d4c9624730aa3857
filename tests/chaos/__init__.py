"""Chaos: real consumers that are killed at random, and the audit at the end."""
