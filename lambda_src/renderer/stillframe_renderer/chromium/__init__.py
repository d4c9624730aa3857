"""Chromium as a process: how it starts, what it is told over its pipe, and how it ends."""
