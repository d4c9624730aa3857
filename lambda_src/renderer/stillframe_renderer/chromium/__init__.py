"""Chromium as a process: how it starts, how commands reach it over its pipe, and how it ends."""
