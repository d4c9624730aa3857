"""Dependencies point inward: stacks, functions and the command line import the domain, never the reverse."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAIN = ROOT / "layers/stillframe/python/stillframe"
OUTER = {
    "stillframe_cli",
    "stillframe_api",
    "stillframe_notifier",
    "stillframe_webhooks",
    "stillframe_renderer",
    "stacks",
    "aws_cdk",
    "pyppeteer",
}
MAX_LINES = 300


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", sorted(DOMAIN.rglob("*.py")), ids=lambda path: path.name)
def test_the_domain_depends_on_no_outer_package(path: Path) -> None:
    assert imports_of(path) & OUTER == set()


@pytest.mark.parametrize("folder", ["lambda_src", "stacks"])
def test_functions_and_stacks_do_not_depend_on_the_command_line(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        assert "stillframe_cli" not in imports_of(path), path


@pytest.mark.parametrize("name", ["api", "notifier", "webhooks"])
def test_a_zip_function_depends_on_no_other_function(name: str) -> None:
    for path in (ROOT / "lambda_src" / name).rglob("*.py"):
        assert imports_of(path) & (OUTER - {f"stillframe_{name}"}) == set(), path


def test_every_test_is_run_by_the_tests_or_by_the_end_to_end_suite() -> None:
    # Given the folders and files that `make test` runs, and the folder of `make e2e`
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    run = [ROOT / each for each in (*settings["testpaths"], "tests/e2e")]
    # When a file of tests is in none of them
    forgotten = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if not any(path.is_relative_to(each) for each in run)
    ]
    # Then it is forgotten
    assert forgotten == []


def test_no_module_is_too_long() -> None:
    sources = [
        path for folder in ("layers", "lambda_src", "cli", "stacks", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    long = {str(path.relative_to(ROOT)): n for path in sources if (n := len(path.read_text().splitlines())) > MAX_LINES}
    assert long == {}


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def texts_in(tree: ast.Module) -> list[str]:
    """Every string literal of a module except docstrings; parts of f-strings are included."""
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [text for text in texts if text not in docstrings]


CONDITION = re.compile(r"attribute_(not_)?exists|^ConditionExpression$")
TABLE = "layers/stillframe/python/stillframe/table"


def has_condition(source: str) -> bool:
    """Whether a module contains a condition on the table, in any of the ways that boto3 and `Update` take one."""
    tree = ast.parse(source)
    keywords = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return bool(
        any(CONDITION.search(text) for text in texts_in(tree))
        or "ConditionExpression" in keywords
        or {"Update", "Attr"} & called
    )


@pytest.mark.parametrize(
    "source",
    [
        "client.put_item(TableName='t', Item={}, ConditionExpression='size(pk) = :n')",
        "client.update_item(**{'ConditionExpression': text})",
        "table.put_item(Item={}, Expression=Attr('pk').not_exists())",
        "Update({}, text)",
        "text = f'attribute_not_exists({name})'",
    ],
)
def test_a_condition_is_recognized_however_it_is_passed(source: str) -> None:
    assert has_condition(source)
    assert not has_condition("client.get_item(TableName='t', Key={}, ConsistentRead=True)")


def test_only_two_modules_write_conditions_on_the_table() -> None:
    # Given / When the modules that contain a condition, or build an `Update`, which has one
    found = {
        str(path.relative_to(ROOT))
        for path in sources("layers", "lambda_src", "cli", "stacks")
        if has_condition(path.read_text())
    }
    # Then only transitions.py and side_items.py do; update.py only formats the condition that it is given
    assert found == {f"{TABLE}/{name}.py" for name in ("transitions", "side_items", "update")}


def test_every_worker_configures_its_process_before_it_is_wired() -> None:
    # Given / When the modules that build a worker
    found = [path for path in sources("lambda_src", "cli", "benchmarks") if "Runtime.build(" in path.read_text()]
    # Then each first shields its memory from the browser's user, and sets allocator and garbage collector
    assert len(found) >= 3
    late = [path.name for path in found if not 0 < path.read_text().find("configure_process()") < _built_at(path)]
    assert late == []


def _built_at(path: Path) -> int:
    return path.read_text().index("Runtime.build(")
