"""The pages that commands write, as Jinja templates. What is put into them is escaped."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, select_autoescape


def environment() -> Environment:
    """Where the templates are loaded from."""
    return Environment(
        loader=PackageLoader("stillframe_cli"),
        autoescape=select_autoescape(["html", "j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
