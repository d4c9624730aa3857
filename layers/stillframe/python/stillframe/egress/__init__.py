"""Egress: where a page may connect."""
