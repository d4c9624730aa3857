"""Chaos tests: real consumers that are killed at random, and an audit at the end."""
