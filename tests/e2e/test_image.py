"""What the image contains, and what it does not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.support.docker import docker
from tests.support.workers import ROOT


def inside(image: str, command: str) -> str:
    """Run a shell command in a new container as the function's user; returns its output."""
    return docker("run", "--rm", "--entrypoint", "/bin/sh", image, "-c", command)


def test_only_tmp_is_writable_by_the_functions_user(image: str) -> None:
    found = inside(
        image, "find / -xdev -writable ! -type l ! -path '/proc/*' ! -path '/dev/*' ! -path '/sys/*' 2>/dev/null; true"
    )
    assert [path for path in found.splitlines() if path != "/tmp" and not path.startswith("/tmp/")] == []


def test_the_function_runs_as_nobody(image: str) -> None:
    assert inside(image, "id -u") == "65534"


def test_there_is_no_compiler_installer_or_package_index(image: str) -> None:
    names = ("gcc", "cc", "g++", "make", "ld", "pip", "pip3", "npm", "git", "curl", "wget", "apt", "dpkg", "perl")
    assert inside(image, f"for name in {' '.join(names)}; do command -v $name; done; true") == ""
    assert inside(image, "ls -d /var/lib/apt /etc/apt /var/cache/apt 2>/dev/null; true") == ""
    assert inside(image, "/opt/venv/bin/python3 -c 'import pip' 2>&1 | tail -1").startswith("ModuleNotFoundError")


def test_no_secret_is_left_in_a_layer(image: str) -> None:
    # The only secret of the build is mounted, so that neither the file system nor the history may contain it.
    assert inside(image, "ls /run/secrets 2>/dev/null; true") == ""
    assert inside(image, "env | grep -iE 'cert|secret|token|password|key' || true") == ""
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
    assert "BEGIN CERTIFICATE" not in history


def test_every_script_of_the_demo_has_its_font(image: str) -> None:
    for language in ("en", "zh", "ja", "ko", "ar", "hi", "th", "und-zsye"):
        assert inside(
            image, f"python3 -c 'import os; print(1)' >/dev/null; fc-list :lang={language} family | head -1"
        ), language


def test_an_image_without_a_runtime_says_what_to_do(image: str) -> None:
    output = docker("run", "--rm", "--entrypoint", "/bin/sh", image, "-c", "stillframe-entrypoint x 2>&1; true")
    assert "mount the runtime interface emulator at /rie" in output


def test_a_client_of_every_service_can_be_created(image: str) -> None:
    script = "import stillframe.clients as c; c.Clients.connect(); c.connect_secrets(); print('done')"
    assert inside(image, f'AWS_DEFAULT_REGION=eu-west-1 python3 -c "{script}"') == "done"


def test_it_contains_the_filter_lists_and_the_consent_script(image: str) -> None:
    request = "('https://securepubads.g.doubleclick.net/tag/js/gpt.js', 'https://example.com/', 'script')"
    script = (
        "from stillframe_renderer.page import consent, filters; "
        f"print(filters.engine().check_network_urls(*{request}).matched, len(consent.script()) > 100000)"
    )
    assert inside(image, f'python3 -c "{script}"') == "True True"


def test_the_bill_of_materials_names_what_is_in_the_image(image: str, tmp_path: Path) -> None:
    # Given / When the bill of materials of the image
    path = tmp_path / "sbom.cdx.json"
    subprocess.run([sys.executable, "scripts/sbom.py", image, path], cwd=ROOT, check=True, capture_output=True)
    # Then it satisfies the schema of CycloneDX, as its own validator reads it
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(path.read_text()) is None
    # And it has the browser, as the browser itself says, and every Python package of the lock
    versions = {each["purl"]: each["version"] for each in json.loads(path.read_text())["components"]}
    (browser,) = (version for purl, version in versions.items() if "/chromium-headless-shell@" in purl)
    said = inside(
        image, "$(command -v chromium-headless-shell || echo /usr/lib/chromium/chromium-headless-shell) --version"
    )
    assert browser.partition("-")[0] in said
    locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "lambda_src/renderer/requirements-image.lock").read_text(), re.M)
    purls = {f"pkg:pypi/{name.lower().replace('_', '-')}@{version}" for name, version in locked}
    assert purls - set(versions) == set()
    # And the same image gives the same document
    again = tmp_path / "again.json"
    subprocess.run([sys.executable, "scripts/sbom.py", image, again], cwd=ROOT, check=True, capture_output=True)
    assert again.read_text() == path.read_text()
