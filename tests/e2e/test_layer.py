"""The layer as it is deployed: bundled without Docker, with the wheels of the function's architecture."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.layer import bundle
from stacks.values import Architecture

# ELF header, e_machine, at byte 18 (System V Application Binary Interface).
MACHINES = {Architecture.ARM64: 183, Architecture.X86: 62}
# "Lambda quotas": a function with its layers, unzipped.
MAX_BYTES = 250 * 1024 * 1024


@pytest.mark.parametrize("architecture", Architecture)
def test_the_layer_is_bundled_for_its_architecture(tmp_path: Path, architecture: Architecture) -> None:
    # Given / When the layer is bundled on this machine, of whatever architecture
    bundle(tmp_path, architecture)
    # Then every binary in it is for the function's
    binaries = list(tmp_path.rglob("*.so"))
    assert len(binaries) >= 1
    assert {path.read_bytes()[18] for path in binaries} == {MACHINES[architecture]}
    assert (tmp_path / "python/stillframe/intake.py").exists()
    assert list(tmp_path.rglob("__pycache__")) == []
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < MAX_BYTES
