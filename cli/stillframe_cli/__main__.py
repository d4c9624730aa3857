"""Lets `python -m stillframe_cli` run the `stillframe` command."""

from __future__ import annotations

from stillframe_cli.main import main

if __name__ == "__main__":
    main()
