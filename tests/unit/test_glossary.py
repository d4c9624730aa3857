"""One word for one idea: words that the glossary of docs/architecture.md replaces are not used anywhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_PROSE_CHARS = 120
# The glossary has another word for each of these. Words that are also used in another meaning (take, work, row, slot,
# lock) are left to reviewers.
REPLACED = re.compile(
    r"\b(pictures?|artifacts?|politeness|vitals|inventory|time-outs?)\b",
    re.IGNORECASE,
)
FOLDERS = ("layers", "lambda_src", "cli", "stacks", "scripts", "docs", ".github")
SUFFIXES = (".py", ".md", ".yml", ".j2", "")
# Generated from a run, or another project's own name for it.
EXEMPT = ("docs/performance.md",)


def pages() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    found += [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "compose.yaml", ROOT / "pyproject.toml"]
    left_out = ("__pycache__", "vendor", "demo_site", ".egg-info")
    kept = [path for path in found if path.is_file() and not any(part in str(path) for part in left_out)]
    return sorted(path for path in kept if str(path.relative_to(ROOT)) not in EXEMPT)


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_replaced_word_is_used(path: Path) -> None:
    text = path.read_text()
    if path.name == "architecture.md":
        text = text.partition("## Glossary")[0]
    found = [line.strip() for line in text.splitlines() if REPLACED.search(line)]
    assert found == []


def test_the_glossary_names_the_replaced_words() -> None:
    # Given the third column of the table
    glossary = (ROOT / "docs/architecture.md").read_text().partition("## Glossary")[2]
    rows = [line.split("|") for line in glossary.splitlines() if line.startswith("| ")]
    # Then every word that is checked above, except spellings, is in it
    avoided = " ".join(row[3] for row in rows)
    assert [word for word in ("picture", "artifact", "politeness", "vitals", "inventory") if word not in avoided] == []


@pytest.mark.parametrize("page", [path for path in pages() if path.suffix == ".md"], ids=lambda page: page.name)
def test_no_line_of_prose_is_too_long(page: Path) -> None:
    # Given the lines of a page that are neither a table nor code
    prose = [line for line in page.read_text().splitlines() if not line.startswith(("|", "    ", "- [", "["))]
    # Then none of them is too long
    assert [line for line in prose if len(line) > MAX_PROSE_CHARS] == []
