"""The shared package as a layer of zip functions: its sources, and its dependencies as they are locked by hash."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .image import REPOSITORY_ROOT
from .values import Architecture

LAYER = REPOSITORY_ROOT / "layers/stillframe"
LOCK = LAYER / "requirements.lock"
RUNTIME = lambda_.Runtime.PYTHON_3_13
RUNTIME_VERSION = "3.13"
# Lambda's Python 3.13 runs on Amazon Linux 2023, with glibc 2.34 (PEP 600: a wheel names the oldest glibc it runs on).
WHEELS = {
    Architecture.ARM64: ("manylinux2014_aarch64", "manylinux_2_28_aarch64"),
    Architecture.X86: ("manylinux2014_x86_64", "manylinux_2_28_x86_64"),
}
ARCHITECTURES = {
    Architecture.ARM64: lambda_.Architecture.ARM_64,
    Architecture.X86: lambda_.Architecture.X86_64,
}
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")


class BundlingFailed(Exception):
    """The dependencies of the layer could not be installed. The message has the last lines of pip."""


def shared_layer(scope: Construct, construct_id: str, architecture: Architecture) -> lambda_.LayerVersion:
    """The layer for functions of one architecture. It is bundled when its stack is synthesised to be deployed."""
    return lambda_.LayerVersion(
        scope,
        construct_id,
        description="The shared package of Stillframe and what it needs",
        code=lambda_.Code.from_asset(
            str(LAYER),
            asset_hash=_hash(architecture),
            asset_hash_type=AssetHashType.CUSTOM,
            bundling=BundlingOptions(
                # CDK wants an image for the case that nothing else bundles. It is never pulled.
                image=DockerImage.from_registry("scratch"),
                local=LayerBundling(architecture),
            ),
        ),
        compatible_architectures=[ARCHITECTURES[architecture]],
        compatible_runtimes=[RUNTIME],
    )


@jsii.implements(ILocalBundling)
class LayerBundling:
    """Bundles without Docker: pip takes the wheels of the function's architecture, on a machine of any other."""

    def __init__(self, architecture: Architecture) -> None:
        self._architecture = architecture

    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:
        """Fill the asset. Raises BundlingFailed."""
        bundle(Path(output_dir), self._architecture)
        return True


def bundle(folder: Path, architecture: Architecture) -> None:
    """Write the content of the layer to a folder: `python/` with packages. Raises BundlingFailed."""
    target = folder / "python"
    shutil.copytree(LAYER / "python", target, ignore=LEFT_OUT)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--require-hashes", "--no-deps", "--only-binary=:all:", "--requirement", str(LOCK)]
    command += ["--implementation", "cp", "--python-version", RUNTIME_VERSION, "--target", str(target)]
    command += [f"--platform={wheel}" for wheel in WHEELS[architecture]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BundlingFailed(f"the layer cannot be bundled: {done.stderr.strip()[-1000:]}")
    # Scripts of packages, which a function does not run; they name the interpreter of this machine.
    shutil.rmtree(target / "bin", ignore_errors=True)


def _hash(architecture: Architecture) -> str:
    """The identity of the content: the sources, the lock, and the architecture of the wheels."""
    digest = hashlib.sha256(architecture.encode())
    for path in _sources():
        digest.update(str(path.relative_to(LAYER)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield LOCK
    for path in sorted((LAYER / "python").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path):
            yield path
