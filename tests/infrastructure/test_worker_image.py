"""The image that is deployed: how it is built, or which one is taken from a registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.app import build_app
from stacks.config import DeployConfig
from stacks.environment import ConfigError

from .conftest import Synth, of_type, only

DIGEST = f"sha256:{'a' * 64}"
IMAGE = f"111111111111.dkr.ecr.eu-central-1.amazonaws.com/tools/stillframe@{DIGEST}"


def assets(folder: Path, **values: str) -> dict[str, Any]:
    """The images that a deployment builds, by their hashes."""
    context = {f"stillframe:{name}": value for name, value in {"compute": "both", **values}.items()}
    build_app(context, outdir=str(folder)).synth()
    found: dict[str, Any] = json.loads((folder / "Stillframe.assets.json").read_text())["dockerImages"]
    return found


def test_another_snapshot_of_debian_is_another_image(tmp_path: Path) -> None:
    # Given / When the same checkout is deployed with two snapshots, and without
    first = assets(tmp_path / "1", debianSnapshot="20261101T000000Z")
    second = assets(tmp_path / "2", debianSnapshot="20261120T000000Z")
    plain = assets(tmp_path / "3")
    # Then function and tasks have one image, and each of the three is another
    assert [len(each) for each in (first, second, plain)] == [1, 1, 1]
    assert len({*first, *second, *plain}) == 3
    # And it is built from the archive, with its security updates, as it was then
    (arguments,) = [each["source"]["dockerBuildArgs"] for each in first.values()]
    lines = arguments["DEBIAN_SOURCES"].splitlines()
    assert [line.split()[2] for line in lines] == [
        "http://snapshot.debian.org/archive/debian/20261101T000000Z",
        "http://snapshot.debian.org/archive/debian-security/20261101T000000Z",
    ]


def test_the_base_image_and_the_authority_of_the_network_are_handed_to_the_build(tmp_path: Path) -> None:
    base = f"registry.example/debian:trixie-slim@{DIGEST}"
    (asset,) = assets(tmp_path / "out", baseImage=base, caBundle="/etc/ssl/corporate.pem").values()
    assert asset["source"]["dockerBuildArgs"] == {"BASE": base}
    assert asset["source"]["dockerBuildSecrets"] == {"ca": "src=/etc/ssl/corporate.pem"}


def test_an_image_that_is_built_already_is_deployed_by_its_digest(synth: Synth) -> None:
    # Given / When a deployment of an image in a registry
    template = synth(("stillframe:compute", "both"), ("stillframe:image", IMAGE))["Stillframe"]
    # Then function and tasks have that image
    uri = json.dumps(only(template, "AWS::Lambda::Function")["Code"]["ImageUri"])
    (container,) = only(template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    for text in (uri, json.dumps(container["Image"])):
        assert f"tools/stillframe@{DIGEST}" in text
        assert "111111111111.dkr.ecr.eu-central-1" in text
    # And a task may pull it, and no other
    pulls = [
        statement["Resource"]
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in statement["Action"]
    ]
    assert len(pulls) == 1
    assert ":ecr:eu-central-1:111111111111:repository/tools/stillframe" in json.dumps(pulls)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"image": "stillframe:latest"}, "stillframe:image"),
        ({"image": IMAGE, "debianSnapshot": "20261101T000000Z"}, "image is built already"),
        ({"baseImage": "debian:trixie-slim"}, "stillframe:baseImage"),
        ({"debianSnapshot": "last week"}, "stillframe:debianSnapshot"),
    ],
)
def test_an_image_that_could_change_is_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DeployConfig.from_context({f"stillframe:{name}": value for name, value in values.items()})
