"""Capturing one page: preparing it, loading it, changing it, and taking the screenshot and its extras."""
