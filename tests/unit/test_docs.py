"""The docs say what is there: every link leads somewhere, every test that is named exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel

from stacks.config import PRESETS, DeployConfig
from stillframe.errors import CaptureError, PermanentError, TransientError, all_subclasses
from stillframe.request.options import RenderOptions
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


def test_the_table_of_options_has_every_option_and_a_test_for_it() -> None:
    # Given / When the rows of the page
    rows = re.findall(r"^\| `(\w+)` \|.*$", (ROOT / "docs/options.md").read_text(), re.MULTILINE)
    lines = (ROOT / "docs/options.md").read_text().splitlines()
    # Then each option of the model has one, and the row names a test
    options = {to_camel(name) for name in RenderOptions.model_fields}
    assert options - set(rows) == set()
    without = [line for line in lines if line.startswith("| `") and line.count(" | ") == 5 and "[test_" not in line]
    assert without == []


def test_the_schema_is_that_of_the_options() -> None:
    described = json.loads((ROOT / "docs/options.schema.json").read_text())
    described.pop("$schema")
    assert described == RenderOptions.model_json_schema(), "run make schema"


def test_the_page_of_errors_has_every_code_with_its_retry_decision() -> None:
    text = (ROOT / "docs/errors.md").read_text()
    for error in set(all_subclasses(CaptureError)) - {PermanentError, TransientError}:
        decision = "retried" if issubclass(error, TransientError) else "permanent"
        assert f"| `{error.code}` | {decision} |" in text


def test_the_features_have_a_command_and_a_test_for_each_of_the_sixteen() -> None:
    # Given the rows of the page
    text = (ROOT / "docs/features.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| ---"))]
    # Then there is one for each thing that is replaced, and every row names a command and a test
    assert [number for number in range(1, 17) if not any(row.startswith(f"| {number}. ") for row in rows)] == []
    assert [row for row in rows if "`" not in row.split("|")[2] or "[test_" not in row.split("|")[3]] == []


def test_the_page_of_deployment_has_every_value_with_its_presets() -> None:
    # Given the table of the page
    text = (ROOT / "docs/deploy.md").read_text()
    rows = {
        name: line
        for line in text.splitlines()
        for name in re.findall(r"`(\w+)`", line.partition("|")[2].split("|")[0])
    }
    # Then every value of the configuration is in it
    assert [name for name in map(to_camel, DeployConfig.model_fields) if name not in text] == []
    # And what the presets set is what it says
    for name in PRESETS["small"]:
        told = [cell.strip() for cell in rows[name].split("|")[2:5]]
        assert told == [str(preset[name]) for preset in PRESETS.values()], name


def test_the_architecture_names_every_module_of_domain_and_worker() -> None:
    # Given the tables of modules, a package each
    page = (ROOT / "docs/architecture.md").read_text().partition("## Where things are")[2].partition("\n## ")[0]
    folders = re.findall(r"^`([\w/]+)/`, the (?:domain|worker)", page, re.MULTILINE)
    assert len(folders) == 2
    for folder, text in zip(
        folders, re.split(r"^`[\w/]+/`, the (?:domain|worker)", page, flags=re.MULTILINE)[1:], strict=True
    ):
        # When the modules are listed
        modules = {path.name for path in (ROOT / folder).rglob("*.py")} - {"__init__.py"}
        # Then each is named, and nothing else is
        named = set(re.findall(r"(\w+\.py)`", text.partition("`cli/")[0]))
        assert named == modules, folder
