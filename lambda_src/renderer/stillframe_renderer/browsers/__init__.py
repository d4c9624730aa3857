"""The warm browsers, behind a synchronous call."""
