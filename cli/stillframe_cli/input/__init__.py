"""What people type and put into files: URLs, requests and options, turned into requests in one way for all commands."""
