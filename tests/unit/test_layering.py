"""The dependencies point inwards: stacks, functions and command line use the domain, never the other way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAIN = ROOT / "layers/stillframe/python/stillframe"
OUTER = {"stillframe_cli", "stillframe_renderer", "stacks", "aws_cdk", "pyppeteer"}
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
def test_the_domain_depends_on_no_outer_part(path: Path) -> None:
    assert imports_of(path) & OUTER == set()


@pytest.mark.parametrize("folder", ["lambda_src", "stacks"])
def test_functions_and_stacks_do_not_depend_on_the_command_line(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        assert "stillframe_cli" not in imports_of(path), path


def test_no_module_outgrows_its_reader() -> None:
    sources = [
        path for folder in ("layers", "lambda_src", "cli", "stacks", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    long = {str(path.relative_to(ROOT)): n for path in sources if (n := len(path.read_text().splitlines())) > MAX_LINES}
    assert long == {}
