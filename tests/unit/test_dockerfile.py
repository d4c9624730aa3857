"""The container image leaves out most of botocore: what it keeps must cover every service that is called."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_image_keeps_the_model_of_every_service_that_is_called() -> None:
    sources = [path.read_text() for folder in ("layers", "lambda_src", "cli") for path in (ROOT / folder).rglob("*.py")]
    called = {name for source in sources for name in re.findall(r'\.client\(\s*"([a-z0-9-]+)"', source)}
    kept = set(re.findall(r"! -name ([a-z0-9-]+)", (ROOT / "lambda_src/renderer/Dockerfile").read_text()))
    assert {"sqs", "secretsmanager"} <= called
    assert called - kept == set()
