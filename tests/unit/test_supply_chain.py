"""What is shipped but was not written here: each part is pinned by its hash."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from scripts.vendor import LOCK, NotAsLocked, check
from stillframe_renderer.page import vendor
from tests.support.workers import ROOT

DOCKERFILE = ROOT / "lambda_src/renderer/Dockerfile"
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize("name", [vendor.EASYLIST, vendor.EASYPRIVACY, vendor.AUTOCONSENT])
def test_a_third_party_file_is_the_one_that_was_locked(name: str) -> None:
    # Given / When / Then the file that is shipped has the hash of the lock, and another file has not
    locked = json.loads(LOCK.read_text())[name]["sha256"]
    content = vendor.read(name).encode()
    check(name, content, locked)
    with pytest.raises(NotAsLocked, match="--update"):
        check(name, content + b"\n", locked)


def test_the_base_image_is_pinned_by_its_digest() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    stages = re.findall(r"^FROM \S+ AS (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    assert {base for base in bases if base not in stages} == {"${BASE}", "scratch"}
    assert re.search(r"^ARG BASE=[a-z0-9./-]+:[a-z0-9.-]+@sha256:[0-9a-f]{64}$", DOCKERFILE.read_text(), re.MULTILINE)


def refresh(tmp_path: Path, docker: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Refresh the base image of a copy of the Dockerfile, with this script in place of the Docker client."""
    (tmp_path / "docker").write_text(f"#!/bin/sh\n{docker}\n")
    (tmp_path / "docker").chmod(0o755)
    copy = tmp_path / "Dockerfile"
    copy.write_text(DOCKERFILE.read_text())
    environment = {**os.environ, "DOCKERFILE": str(copy), "DOCKER_PATH": str(tmp_path)}
    command = [str(ROOT / "scripts/base-image"), "--refresh"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done, copy.read_text()


def test_refreshing_the_base_image_pins_the_current_digest(tmp_path: Path) -> None:
    # Given a registry whose tag now has another digest
    docker = f'[ "$1" = pull ] || echo "public.ecr.aws/docker/library/debian@{DIGEST}"'
    # When the base image is refreshed
    done, dockerfile = refresh(tmp_path, docker)
    # Then the Dockerfile has the new digest, and nothing else has changed
    assert done.returncode == 0, done.stderr
    expected = re.sub(r"(ARG BASE=\S+)@sha256:\w+", rf"\1@{DIGEST}", DOCKERFILE.read_text())
    assert dockerfile == expected != DOCKERFILE.read_text()


@pytest.mark.parametrize("docker", ["exit 1", "echo '<no value>'"])
def test_a_base_image_that_cannot_be_pulled_changes_nothing(tmp_path: Path, docker: str) -> None:
    done, dockerfile = refresh(tmp_path, docker)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert dockerfile == DOCKERFILE.read_text()
