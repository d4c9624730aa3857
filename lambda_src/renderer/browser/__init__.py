"""Chromium as a process: started, watched, spoken to, ended."""
