"""The docs say what is there: every link leads somewhere, every test that is named exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.invariants import Promise

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    # Given / When the links of a page
    links = LINK.findall(page.read_text())
    # Then each names a file, and where its text names a test, the file has it
    missing = [target for _, target in links if not (page.parent / target).exists()]
    assert missing == []
    named = [(text, page.parent / target) for text, target in links if text.startswith("test_")]
    assert [text for text, path in named if f"def {text}(" not in path.read_text()] == []


def test_the_guarantees_name_every_promise_and_every_seeded_bug() -> None:
    # Given / When the page
    text = (ROOT / "docs/guarantees.md").read_text()
    # Then it says what is checked, and what is caught
    assert [promise.value for promise in Promise if f"| {promise} |" not in text] == []
    assert [bug.name for bug in BUGS if f"| {bug.name} | " not in text] == []
