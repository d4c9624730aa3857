"""The CDK app: configuration from the context, two stacks, and cdk-nag checks on both."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from .config import DeployConfig
from .owner_rules import apply_owner_rules
from .render_stack import RenderStack
from .storage_stack import StorageStack


def build_app(context: dict[str, Any] | None = None, outdir: str | None = None, nag: bool = True) -> cdk.App:
    """Build the CDK app. Raises ConfigError if a context value is wrong.

    With `nag`, synthesis fails on any cdk-nag finding that is not acknowledged.
    """
    app = cdk.App(context=context, outdir=outdir)
    config = DeployConfig.from_context(app.node.get_all_context())
    where = cdk.Environment(account=config.account, region=config.region)
    storage = StorageStack(
        app,
        # The command line derives this name from the other one: see `stack_outputs` in cli/stillframe_cli/resources.py.
        f"{config.stack_name}-Storage",
        config=config,
        env=where,
        description="Stillframe: queues, records, images",
    )
    RenderStack(
        app,
        config.stack_name,
        config=config,
        storage=storage,
        env=where,
        description="Stillframe: the renderer and its alarms",
    )
    apply_owner_rules(app, storage, config)
    if nag:
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app
