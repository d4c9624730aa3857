"""An app of somebody else's that uses Stillframe: a web shop that wants screenshots of its offers and its receipts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks

from stacks.construct import Stillframe

# What cdk-nag finds of the shop itself: managed policies of its functions, and a plain queue.
FINDINGS_OF_THE_SHOP = ("AwsSolutions-IAM4", "AwsSolutions-SQS3", "AwsSolutions-SQS4", "AwsSolutions-L1")
STACK, SCREENSHOTS, RECEIPTS = "WebShop", "Screenshots", "Receipts"


class Shop(cdk.Stack):
    """A stack with two deployments of Stillframe, and with those who send to them, look at them and hear of images."""

    def __init__(self, scope: cdk.App, name: str, values: Mapping[str, object], **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)
        screenshots = Stillframe(self, SCREENSHOTS, size="medium", **values)
        receipts = Stillframe(self, RECEIPTS, compute="lambda")
        code = lambda_.Code.from_inline("def handler(event, context): pass")
        self.shop, self.watcher = (
            lambda_.Function(
                self,
                each,
                runtime=lambda_.Runtime.PYTHON_3_13,
                handler="index.handler",
                code=code,
                environment=screenshots.variables,
            )
            for each in ("Shop", "Watcher")
        )
        for each in (screenshots, receipts):
            each.grant_send(self.shop)
            each.grant_look(self.shop)
        screenshots.grant_send(iam.User(self, "Writer"))
        screenshots.grant_look(iam.User(self, "Editor"))
        key = kms.Key(self, "Key", enable_key_rotation=True)
        screenshots.on_captured("Captured", sqs.Queue(self, "Arrivals", encryption_master_key=key))
        screenshots.on_failed("Failed", self.watcher)
        receipts.on_captured("Captured", self.watcher)


def synthesize(folder: Path, values: Mapping[str, object], **kwargs: Any) -> dict[str, dict[str, Any]]:
    """The template of each stack by its name, in the order in which they are deployed."""
    app = cdk.App(outdir=str(folder))
    Shop(app, STACK, values, **kwargs)
    app.synth()
    return stacks_in(folder)


def check(folder: Path, values: Mapping[str, object], **kwargs: Any) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    """The templates, and what cdk-nag finds in the whole app beside the shop's own findings, as rules and paths."""
    app = cdk.App(outdir=str(folder))
    Shop(app, STACK, values, **kwargs)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with contextlib.suppress(RuntimeError):  # because of those of the shop
        app.synth()
    report = json.loads((folder / "validation-report.json").read_text())
    found = {
        (violation["ruleName"], construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert found, "the shop itself has findings"
    return stacks_in(folder), {each for each in found if not _is_of_the_shop(*each)}


def _is_of_the_shop(rule: str, path: str) -> bool:
    return rule.startswith(FINDINGS_OF_THE_SHOP) and not {SCREENSHOTS, RECEIPTS} & set(path.split("/"))


def stacks_in(folder: Path) -> dict[str, Any]:
    """The template of each stack by its name, each after those that it depends on."""
    manifest = json.loads((folder / "manifest.json").read_text())["artifacts"]
    stacks = {name: each for name, each in manifest.items() if each["type"] == "aws:cloudformation:stack"}
    order: list[str] = []

    def visit(name: str) -> None:
        for other in stacks[name].get("dependencies", []):
            if other in stacks and other not in order:
                visit(other)
        if name not in order:
            order.append(name)

    for name in stacks:
        visit(name)
    return {
        stacks[name]["properties"].get("stackName", name): json.loads(
            (folder / stacks[name]["properties"]["templateFile"]).read_text()
        )
        for name in order
    }
