"""What the image contains, and what it does not."""

from __future__ import annotations

import json
from typing import Any

from tests.support.docker import docker


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
    names = ("gcc", "cc", "g++", "make", "ld", "pip", "pip3", "npm", "git", "curl", "wget")
    assert inside(image, f"for name in {' '.join(names)}; do command -v $name; done; true") == ""
    assert inside(image, "ls /var/lib/apt/lists") == ""
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


def test_the_image_is_as_small_as_documented(image: str, figures: dict[str, Any]) -> None:
    (description,) = json.loads(docker("image", "inspect", image))
    figures["imageBytes"] = description["Size"]
    assert description["Size"] < 1_100_000_000


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
