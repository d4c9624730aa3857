"""The documentation's site: it needs nothing from elsewhere, and its commands are commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from scripts.doc_images import DIAGRAM, IMAGES, diagram_name
from scripts.docs_hooks import on_page_markdown
from scripts.schema import VARIABLES_PATH, variables_page
from stillframe_cli.main import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
COMMAND = re.compile(r"^\s*(?:\$ )?(?:\.venv/bin/|docker run [^|]*? )?stillframe ((?:[^#\n\\]|\\\n)+)", re.MULTILINE)


def command_lines() -> list[tuple[str, str]]:
    """The lines of code in the documents that run `stillframe`, with their pages."""
    found = []
    for page in PAGES:
        text = page.read_text()
        blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        blocks += re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
        found += [(page.name, line) for block in blocks for line in COMMAND.findall(block)]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_every_command_in_the_documents_is_one(page: str, line: str) -> None:
    # Given a line as it is in the documents, up to a redirection
    arguments = shlex.split(re.split(r"\s[|>&]", line.replace("\\\n", " "))[0])
    # When it is parsed as if it were typed, then the command and every option exist
    context = click.Context(cli, info_name="stillframe")
    name, command, rest = cli.resolve_command(context, arguments)
    assert command is not None
    problem = ""
    try:
        command.make_context(name, rest, parent=context)
    except click.exceptions.Exit:
        assert "--help" in rest
    except click.UsageError as error:
        problem = error.format_message()
    # Files of the reader's are not here.
    assert "exist" in problem or not problem, page


def test_there_are_commands_to_check() -> None:
    assert len(command_lines()) > 30


def test_every_page_is_in_the_navigation() -> None:
    # Given the configuration of the site
    configuration = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    listed = re.findall(r"[\w-]+\.md", str(configuration["nav"]))
    # Then each page is there once, and fonts come from nowhere else
    assert sorted(listed) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))
    assert configuration["theme"]["font"] is False


def test_every_diagram_has_its_image() -> None:
    sources = [source for page in PAGES for source in DIAGRAM.findall(page.read_text())]
    assert len(sources) >= 3
    assert [name for name in map(diagram_name, sources) if not (IMAGES / f"{name}.webp").exists()] == []


def test_pages_name_what_is_not_on_the_site_without_a_link() -> None:
    # Given links to a test and to a page, and a block of code
    text = "[test_a](../tests/a.py) and [`b.py`](../b.py), [cost](cost.md)\n```python\nx\n```\n"
    # When the page is prepared for the site, then only what is on the site is a link
    assert on_page_markdown(text) == "`test_a` and `b.py`, [cost](cost.md)\n```python\nx\n```\n"


def test_the_page_of_environment_variables_is_up_to_date() -> None:
    assert (ROOT / VARIABLES_PATH).read_text() == variables_page(), "run make schema"
    assert "| ` " not in variables_page()
    # And each variable has a meaning
    assert [line for line in variables_page().splitlines() if line.endswith("|  |")] == []
