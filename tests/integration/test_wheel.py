"""The wheel, installed into a new environment in another folder: it declares and contains everything it needs."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.pixels import GREEN, Pixels
from tests.support.workers import ROOT, environment

pytestmark = pytest.mark.usefixtures("chromium")

SOURCES = ("layers", "lambda_src", "cli", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
# Makes the packages of the extras look as if they were not installed.
NO_EXTRAS = """import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("ministack", "uvicorn", "matplotlib", "simpy", "textual"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
sys.meta_path.insert(0, Finder())
"""
PAGE = """<!doctype html><body style='background:#00aa00'>
  <script src='https://securepubads.g.doubleclick.net/tag/js/gpt.js'></script>
  <div class='cky-consent-container' style='position:fixed;inset:0;background:#f00'>
  <button data-cky-tag='reject-button' onclick="document.title = 'no'; this.parentElement.remove()">Reject</button>
  </div>"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the sources, so that the build leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "sources"
    copy.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(copy))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a new environment with the wheel in it.

    Its dependencies come from the environment of the tests, because a test has no network. A path file names their
    folder. The path files in that folder are not processed, so that the checkout is not importable.
    """
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip("--python", str(folder / "bin/python"), "install", "--no-deps", "--no-index", str(wheel))
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def pip(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def stillframe(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(installed / "stillframe"), *arguments],
        cwd=installed,
        env=environment({"PYTHONPATH": ""}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_wheel_runs_and_not_the_checkout(installed: Path) -> None:
    # Given / When the command of the new environment runs
    version = stillframe(installed, "--version").stdout
    where = subprocess.run(
        [str(installed / "python"), "-c", "import stillframe_cli; print(stillframe_cli.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    # Then it has the declared version, and its code is in that environment
    assert version == f"stillframe, version {importlib.metadata.version('stillframe')}\n"
    assert where.stdout.startswith(str(installed.parent))


def test_every_import_name_begins_with_stillframe(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.startswith("stillframe")} == set()


def test_the_licence_of_everything_bundled_is_declared_and_included(wheel: Path) -> None:
    # Given / When
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    texts = {Path(name).name for name in archive.namelist() if ".dist-info/licenses/" in name}
    # Then scanners of licences see those of the filter lists, of autoconsent and of the font as well
    (expression,) = re.findall(r"^License-Expression: (.*)", archive.read(metadata).decode(), re.MULTILINE)
    assert set(expression.split(" AND ")) == {"Apache-2.0", "MPL-2.0", "CC-BY-SA-3.0", "OFL-1.1"}
    assert texts == {"LICENSE", "OFL.txt", "autoconsent.LICENSE", "README.md"}


def test_every_imported_package_is_declared(wheel: Path) -> None:
    # Given the packages that the wheel declares, with their own dependencies
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    declared = re.findall(r"^Requires-Dist: ([\w.-]+)", archive.read(metadata).decode(), re.MULTILINE)
    available = closure(declared)
    # When every import of every module is checked
    owners = importlib.metadata.packages_distributions()
    missing = set()
    for name in archive.namelist():
        if name.endswith(".py"):
            for imported in imports_in(archive.read(name).decode()):
                is_own = imported.startswith("stillframe") or imported in sys.stdlib_module_names
                if not is_own and not {normal(owner) for owner in owners.get(imported, [])} & available:
                    missing.add((name, imported))
    # Then each comes from one of these packages
    assert missing == set()


def imports_in(source: str) -> set[str]:
    """The top-level names that a module imports, except those for type checkers."""
    tree = ast.parse(source)
    guarded = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for each in ast.walk(node)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def closure(names: list[str]) -> set[str]:
    """The distributions, and everything that they require without extras."""
    found: set[str] = set()
    waiting = [normal(name) for name in names]
    while waiting:
        name = waiting.pop()
        # A requirement that is not installed is for another version of Python.
        if name not in found and any(importlib.metadata.distributions(name=name)):
            found.add(name)
            required = importlib.metadata.requires(name) or []
            waiting += [normal(re.split(r"[^\w.-]", each)[0]) for each in required if "extra ==" not in each]
    return found


def normal(name: str) -> str:
    """The normalized name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def shoot(installed: Path, site: str, folder: Path, options: dict[str, Any]) -> tuple[dict[str, Any], Pixels]:
    arguments = ("--allow-host", site, "--options", json.dumps(options))
    stillframe(installed, "shoot", f"http://{site}/", "--out", str(folder), *arguments)
    (result,) = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert (folder / "index.html").exists()
    return result, Pixels(Path(result["path"]).read_bytes())


def test_shoot_takes_a_screenshot(installed: Path, site: str, tmp_path: Path) -> None:
    result, pixels = shoot(installed, site, tmp_path, {"html": "<body style='background:#00aa00'>"})
    assert result["outcome"] == "captured"
    assert pixels.is_all(GREEN)


def test_ads_and_cookie_banners_are_blocked_with_the_bundled_lists(installed: Path, site: str, tmp_path: Path) -> None:
    # Given a page with an ad and a cookie banner
    options = {"html": PAGE, "blockAds": True, "blockCookieBanners": True}
    # When it is captured
    result, pixels = shoot(installed, site, tmp_path, options)
    # Then the ad was not requested, and the banner was declined
    assert (result["adsBlocked"], result["title"], result["cookieBanner"]) == (1, "no", "cookieyes")
    assert pixels.is_all(GREEN)


def test_a_command_names_its_missing_extra(wheel: Path, tmp_path: Path) -> None:
    # Given an environment with everything except the packages of the extras
    folder = tmp_path / "packages"
    pip("install", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text(NO_EXTRAS)
    path = f"{blocked}:{folder}"
    # When commands that need these packages are run
    for arguments, extra in (
        (["demo", "--out", str(tmp_path / "out")], "embedded"),
        (["plan", "--per-hour", "100"], "operate"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "stillframe_cli", *arguments],
            cwd=tmp_path,
            env=environment({"PYTHONPATH": path}),
            capture_output=True,
            text=True,
            check=False,
        )
        # Then an error names the extra to install
        assert done.returncode == 2
        assert f'pip install "stillframe[{extra}]"' in done.stderr
        assert "Traceback" not in done.stderr


def test_the_wheel_contains_the_site_of_the_demo(installed: Path, tmp_path: Path) -> None:
    run = stillframe(installed, "demo", "--out", str(tmp_path), "--json")
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert [result["title"] for result in results if result["outcome"] == "captured"].count(None) == 0
    assert sum(result["outcome"] == "captured" for result in results) == 4
