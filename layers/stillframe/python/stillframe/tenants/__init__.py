"""Tenants of the API: their keys, the part of the deployment that is theirs, and how much of it they may use."""
