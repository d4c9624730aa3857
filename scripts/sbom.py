"""Writes the software bill of materials of a container image: python scripts/sbom.py IMAGE FILE.

CycloneDX 1.6 (ECMA-424), JSON: packages of Debian and of Python, and the third-party files among Stillframe's own. The
same image gives the same document.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

LOCK = Path(__file__).parents[1] / "lambda_src/renderer/stillframe_renderer/page/vendor/lock.json"

# Runs in the image. Virtual packages have no version and are not installed.
LIST_DEBIAN = r"dpkg-query --show --showformat '${Package}\t${Version}\t${Architecture}\n'"
LIST_PYTHON = (
    "import importlib.metadata as m, json;"
    "print(json.dumps([[each.metadata['Name'], each.version] for each in m.distributions()]))"
)


def bill_of(image: str) -> str:
    """The bill of materials of a local image, as JSON text. Raises CalledProcessError if Docker has no such image."""
    ((described),) = json.loads(_docker("image", "inspect", image))
    bom = Bom(
        components=[*_debian_packages(image), *_python_packages(image), *_vendored_files()],
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, described["Id"]),
    )
    bom.metadata.timestamp = datetime.fromisoformat(described["Created"])
    digest = HashType(alg=HashAlgorithm.SHA_256, content=described["Id"].removeprefix("sha256:"))
    bom.metadata.component = Component(
        name="stillframe", type=ComponentType.CONTAINER, bom_ref=described["Id"], hashes=[digest]
    )
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _debian_packages(image: str) -> Iterator[Component]:
    for line in _run_in(image, "sh", "-c", LIST_DEBIAN).splitlines():
        name, version, architecture = line.split("\t")
        qualifiers = {"arch": architecture, "distro": "trixie"}
        yield _component(name, version, PackageURL("deb", "debian", name, version, qualifiers))


def _python_packages(image: str) -> Iterator[Component]:
    for name, version in json.loads(_run_in(image, "python3", "-c", LIST_PYTHON)):
        yield _component(name, version, PackageURL("pypi", None, name.lower().replace("_", "-"), version))


def _vendored_files() -> Iterator[Component]:
    for name, locked in json.loads(LOCK.read_text()).items():
        purl = PackageURL("generic", None, name, locked["version"], {"download_url": locked["url"]})
        digest = HashType(alg=HashAlgorithm.SHA_256, content=locked["sha256"])
        yield Component(
            name=name, version=locked["version"], purl=purl, bom_ref=str(purl), type=ComponentType.FILE, hashes=[digest]
        )


def _component(name: str, version: str, purl: PackageURL) -> Component:
    return Component(name=name, version=version, purl=purl, bom_ref=str(purl), type=ComponentType.LIBRARY)


def _run_in(image: str, program: str, *arguments: str) -> str:
    return _docker("run", "--rm", "--network", "none", "--entrypoint", program, image, *arguments)


def _docker(*arguments: Any) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    image, path = sys.argv[1], Path(sys.argv[2])
    try:
        bill = bill_of(image)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"sbom: {image} cannot be read ({error}): build it with `make image`")
    path.parent.mkdir(exist_ok=True)
    path.write_text(bill)
    print(f"{path}: {len(json.loads(bill)['components'])} components")
