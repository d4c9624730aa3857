"""Every configuration, and two environments beside each other, deployed on the emulator.

It checks names, references, exports and the order of creation. cfn-lint and cdk-nag look for what AWS would refuse.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks import environment
from stillframe_cli.emulator import Emulator, running_emulator
from tests.support.stacks import Account
from tests.support.templates import UNKNOWN_TYPES

from .configurations import CONFIGURATIONS, context
from .conftest import Synth, Templates

accounts = map(str, itertools.count(100_000_000_001))


@pytest.fixture(scope="module")
def cloud() -> Iterator[Emulator]:
    with running_emulator(services="") as running:
        yield running


@pytest.fixture
def account(cloud: Emulator) -> Account:
    return Account(cloud, next(accounts))


def in_order(templates: Templates) -> Templates:
    """What exports comes before what imports."""
    return dict(sorted(templates.items(), key=lambda each: not each[0].endswith("-Storage")))


def known(template: dict[str, Any]) -> dict[str, str]:
    """The types of the resources that the emulator knows, by logical id."""
    types = {name: each["Type"] for name, each in template["Resources"].items()}
    return {name: each for name, each in types.items() if each not in UNKNOWN_TYPES}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_is_deployed(synth: Synth, account: Account, name: str) -> None:
    # Given / When the stacks of a configuration are created
    templates = in_order(synth(*context(CONFIGURATIONS[name])))
    account.deploy(templates)
    # Then each resource that the emulator knows has been created
    for stack, template in templates.items():
        assert set(account.resources(stack)) == {f"{kind} {each}" for each, kind in known(template).items()}


@pytest.mark.parametrize("kind", UNKNOWN_TYPES)
def test_the_emulator_still_refuses_what_is_left_out(account: Account, kind: str) -> None:
    cloudformation = account.client("cloudformation")
    template = f'{{"Resources": {{"It": {{"Type": "{kind}"}}}}}}'
    with pytest.raises(cloudformation.exceptions.ClientError, match=f"Unrecognized resource types.*{kind}"):
        cloudformation.create_stack(StackName="one", TemplateBody=template)


def test_two_environments_live_side_by_side(
    synth: Synth, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given two environments with everything, and a deployment without a name, in one account and region
    monkeypatch.setattr(environment, "ENVIRONMENTS", tmp_path)
    for name in ("east", "west"):
        (tmp_path / f"{name}.toml").write_text('compute = "both"\nrollout = "canary"\n')
    deployments = {
        "": in_order(synth(("stillframe:compute", "both"))),
        **{name: in_order(synth(("stillframe:environment", name))) for name in ("east", "west")},
    }
    # When all are deployed
    for templates in deployments.values():
        account.deploy(templates)
    # Then no resource of one is a resource of another, and each has everything of its own
    owners = Counter(
        f"{kind.partition(' ')[0]} {physical}"
        for templates in deployments.values()
        for stack in templates
        for kind, physical in account.resources(stack).items()
        # The physical id of a policy inside a role is its name in that role.
        if not kind.startswith("AWS::IAM::Policy ")
    )
    assert [each for each, count in owners.items() if count > 1] == []
    assert len(account.exports()) == sum(len(exports_of(templates)) for templates in deployments.values())
    assert len(account.client("cloudwatch").list_dashboards()["DashboardEntries"]) == len(deployments)
    # And what one's alarms read of the workers, no other's workers write
    services = {name: services_read(templates) for name, templates in deployments.items()}
    assert services == {"": {"stillframe"}, "east": {"stillframe-east"}, "west": {"stillframe-west"}}


def exports_of(templates: Templates) -> list[str]:
    return [
        output["Export"]["Name"]
        for template in templates.values()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    ]


def services_read(templates: Templates) -> set[str]:
    """The values of the dimension `service` in all alarms."""
    return {
        dimension["Value"]
        for template in templates.values()
        for each in template["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
        for dimension in each["Properties"].get("Dimensions", [])
        if dimension["Name"] == "service"
    }
