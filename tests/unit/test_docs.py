"""The docs are complete and correct: every link has a target, and every test that they name exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel

from stacks.config import DeployConfig
from stacks.presets import PRESETS
from stillframe.errors import CaptureError, PermanentError, TransientError, all_subclasses
from stillframe.request.options import RenderOptions
from tests.simulation.bugs import BUGS
from tests.simulation.promise import Promise
from tests.simulation.watching.bugs import WEEK_BUGS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_has_a_target(page: Path) -> None:
    # Given / When the links of a page
    links = LINK.findall(page.read_text())
    # Then each target exists, and where the text names a test, the file has that test
    missing = [target for _, target in links if not (page.parent / target).exists()]
    assert missing == []
    named = [(text, page.parent / target) for text, target in links if text.startswith("test_")]
    assert [text for text, path in named if f"def {text}(" not in path.read_text()] == []


def test_the_guarantees_name_every_promise_and_every_seeded_bug() -> None:
    # Given / When the page of guarantees
    text = (ROOT / "docs/guarantees.md").read_text()
    # Then it lists every promise that is checked and every bug that is caught
    assert [promise.value for promise in Promise if f"| {promise} |" not in text] == []
    assert [bug.name for bug in (*BUGS, *WEEK_BUGS) if f"| {bug.name} | " not in text] == []


def test_the_table_of_options_has_every_option_and_a_test_for_it() -> None:
    # Given / When the rows of the page
    rows = re.findall(r"^\| `(\w+)` \|.*$", (ROOT / "docs/options.md").read_text(), re.MULTILINE)
    lines = (ROOT / "docs/options.md").read_text().splitlines()
    # Then each option of the model has a row, and each row names a test
    options = {to_camel(name) for name in RenderOptions.model_fields}
    assert options - set(rows) == set()
    without = [line for line in lines if line.startswith("| `") and line.count(" | ") == 5 and "[test_" not in line]
    assert without == []


def test_the_schema_matches_the_options() -> None:
    described = json.loads((ROOT / "docs/options.schema.json").read_text())
    described.pop("$schema")
    assert described == RenderOptions.model_json_schema(), "run make schema"


def test_the_page_of_errors_has_every_code_with_its_retry_decision() -> None:
    text = (ROOT / "docs/errors.md").read_text()
    for error in set(all_subclasses(CaptureError)) - {PermanentError, TransientError}:
        decision = "retried" if issubclass(error, TransientError) else "permanent"
        assert f"| `{error.code}` | {decision} |" in text


def test_the_page_of_features_has_sixteen_rows_with_a_command_and_a_test() -> None:
    # Given the rows of the page
    text = (ROOT / "docs/features.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| ---"))]
    # Then all sixteen are there, and every row names a command and a test
    assert [number for number in range(1, 17) if not any(row.startswith(f"| {number}. ") for row in rows)] == []
    assert [row for row in rows if "`" not in row.split("|")[2] or "[test_" not in row.split("|")[3]] == []


def test_the_page_of_deployment_has_every_value_and_what_the_presets_set() -> None:
    # Given the table of the page
    text = (ROOT / "docs/deploy.md").read_text()
    rows = {
        name: line
        for line in text.splitlines()
        for name in re.findall(r"`(\w+)`", line.partition("|")[2].split("|")[0])
    }
    # Then every value of the configuration is in it
    assert [name for name in map(to_camel, DeployConfig.model_fields) if name not in text] == []
    # And it shows the values that the presets set
    for name in PRESETS["small"]:
        shown = [cell.strip() for cell in rows[name].split("|")[2:5]]
        assert shown == [str(preset[name]) for preset in PRESETS.values()], name


def test_the_architecture_page_names_every_module_of_domain_and_worker() -> None:
    # Given the tables of modules, one for each package
    page = (ROOT / "docs/architecture.md").read_text().partition("## Where things are")[2].partition("\n## ")[0]
    folders = re.findall(r"^`([\w/]+)/`, the (?:domain|worker)", page, re.MULTILINE)
    assert len(folders) == 2
    for folder, text in zip(
        folders, re.split(r"^`[\w/]+/`, the (?:domain|worker)", page, flags=re.MULTILINE)[1:], strict=True
    ):
        # When the modules are listed
        modules = {path.name for path in (ROOT / folder).rglob("*.py")} - {"__init__.py"}
        # Then each module is named, and nothing else is
        named = set(re.findall(r"(\w+\.py)`", text.partition("`cli/")[0]))
        assert named == modules, folder
