"""The `stillframe` command."""
