"""Several deployments in one account and region, each with a file of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scripts.schema import SCHEMAS
from stacks import environment
from stacks.app import build_app
from stacks.config import DeployConfig
from stacks.context import context_of
from stacks.environment import ConfigError
from stacks.presets import PRESETS
from stillframe_cli.main import cli

from .conftest import Synth, of_type, only

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of environments, empty."""
    monkeypatch.setattr(environment, "ENVIRONMENTS", tmp_path)
    return tmp_path


def config_of(name: str, **values: object) -> DeployConfig:
    return DeployConfig.from_context(
        {"stillframe:environment": name, **{f"stillframe:{key}": value for key, value in values.items()}}
    )


def test_the_values_of_a_file_come_before_those_of_its_preset(folder: Path) -> None:
    # Given an environment with a preset and two values
    (folder / "prod.toml").write_text('size = "medium"\nmemoryMb = 4096\nallowHosts = ["a.example", "b.example"]\n')
    # When it is read, with one more value on the command line
    config = config_of("prod", logRetentionDays="7")
    # Then each is in force, and the preset has the rest
    assert (config.memory_mb, config.allow_hosts) == (4096, ("a.example", "b.example"))
    assert (config.max_concurrency, config.log_retention_days) == (PRESETS["medium"]["maxConcurrency"], 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("memroyMb = 4096", "memroyMb is unknown"),
        ('memoryMb = "much"', "memoryMb: .*'much'"),
        ("memoryMb = ", r"environments/prod.toml: Invalid value"),
        ('environment = "test"', "environments/prod.toml: environment is the name of the file"),
        ('account = "12"', "account"),
        ('region = "Frankfurt"', "region"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(folder: Path, text: str, message: str) -> None:
    (folder / "prod.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        config_of("prod")


def test_an_environment_without_a_file_is_refused(folder: Path) -> None:
    (folder / "example.toml").touch()
    with pytest.raises(ConfigError, match=r"no environments/prdo.toml: write it.*\(there are: example\)"):
        config_of("prdo")


@pytest.mark.parametrize("name", ["Prod", "../example", "", "1st", "a" * 32])
def test_a_name_that_no_stack_could_have_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="the name of an environment has"):
        config_of(name)


def test_the_example_is_in_force_as_it_stands() -> None:
    assert config_of("example").stack_name == "Stillframe-example"


@pytest.mark.parametrize("path", SCHEMAS)
def test_the_schemas_are_those_of_the_code(path: str) -> None:
    assert json.loads((ROOT / path).read_text()) == SCHEMAS[path](), "run make schema"


def test_the_schema_of_an_environment_has_every_value() -> None:
    names = set(json.loads((ROOT / "docs/environment.schema.json").read_text())["properties"])
    fields = {field.alias for field in DeployConfig.model_fields.values()}
    assert names == (fields - {"environment"}) | {"size"}


@pytest.mark.parametrize("choice", [("--per-day", "1000000"), ("--per-hour", "90", "--spot")])
def test_a_plan_is_written_as_an_environment(folder: Path, choice: tuple[str, ...]) -> None:
    # Given a plan
    path = folder / "planned.toml"
    done = CliRunner().invoke(cli, ["plan", *choice, "--write", str(path)], catch_exceptions=False)
    assert done.exit_code == 0
    # When it is the file of an environment, then that is in force, with the values that the plan shows
    config = config_of("planned")
    shown = tomllib.loads(done.stdout[done.stdout.index("To deploy it") :].partition("\n\n")[2])
    values = json.loads(config.model_dump_json(by_alias=True))
    assert shown.items() <= values.items()


def test_two_environments_have_no_name_in_common(folder: Path, synth: Synth) -> None:
    # Given two environments
    for name in ("blue", "green"):
        (folder / f"{name}.toml").write_text('compute = "both"\n')
    # When both are synthesised
    blue, green = (synth(("stillframe:environment", name)) for name in ("blue", "green"))
    # Then their stacks, and what they export to each other, have different names
    assert set(blue) == {"Stillframe-blue", "Stillframe-blue-Storage"}
    assert set(green) == {"Stillframe-green", "Stillframe-green-Storage"}
    assert exports(blue) & exports(green) == set()
    # And nothing has a name that the other one's would take
    assert physical_names(blue) & physical_names(green) == set()


def test_the_metrics_of_two_environments_are_kept_apart(folder: Path, synth: Synth) -> None:
    # Given an environment
    (folder / "solo.toml").touch()
    # When it is synthesised
    templates = synth(("stillframe:environment", "solo"))
    template = templates["Stillframe-solo"]
    # Then its workers write, and its alarms, its dashboard and its operators read, metrics of its own
    variables = only(template, "AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables["STILLFRAME_SERVICE"] == "stillframe-solo"
    read = {
        dimension["Value"]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "service"
    }
    assert read == {"stillframe-solo"}
    board = "".join(map(str, only(template, "AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]))
    assert '"service","stillframe-solo"' in board
    assert '"service","stillframe"' not in board
    assert templates["Stillframe-solo-Storage"]["Outputs"]["Service"]["Value"] == "stillframe-solo"


def test_an_environment_is_bound_to_its_account_and_its_region(folder: Path, tmp_path: Path) -> None:
    # Given an environment that says where it belongs
    (folder / "here.toml").write_text('account = "111111111111"\nregion = "eu-central-1"\ncompute = "both"\n')
    # When it is synthesised, then its stacks are for that account and region, and no finding is left
    build_app({"stillframe:environment": "here"}, outdir=str(tmp_path / "out")).synth()
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    environments = {each["environment"] for each in manifest["artifacts"].values() if "environment" in each}
    assert environments == {"aws://111111111111/eu-central-1"}


def test_the_template_says_what_it_was_made_of(synth: Synth) -> None:
    record = synth(("stillframe:memoryMb", "4096"))["Stillframe"]["Metadata"]["Stillframe"]
    assert (record["memoryMb"], record["recordRetentionDays"]) == (4096, 90)


def test_without_the_cdk_command_line_the_context_is_the_same() -> None:
    context = context_of(["-c", "stillframe:size=medium", "--all", "--context", "compute=both"])
    assert context == {
        **json.loads((ROOT / "cdk.json").read_text())["context"],
        "stillframe:size": "medium",
        "compute": "both",
    }


def test_synthesis_takes_values_as_arguments(tmp_path: Path) -> None:
    # Given / When the app is run as `make synth ARGS=...` does
    environ = {name: value for name, value in os.environ.items() if name != "CDK_CONTEXT_JSON"}
    done = subprocess.run(
        [sys.executable, "app.py", "-c", "stillframe:memoryMb=4096"],
        cwd=ROOT,
        env={**environ, "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Then the value is in the template
    template = json.loads((tmp_path / "Stillframe.template.json").read_text())
    assert only(template, "AWS::Lambda::Function")["MemorySize"] == 4096


def test_a_wrong_value_ends_synthesis_with_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "-c", "stillframe:memroyMb=1"],
        cwd=ROOT,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "stillframe:memroyMb is unknown" in done.stderr


def exports(templates: dict[str, Any]) -> set[str]:
    return {
        output["Export"]["Name"]
        for template in templates.values()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }


def physical_names(templates: dict[str, Any]) -> set[str]:
    """The names that are given to resources, rather than left to CloudFormation. A policy's counts in its role only."""
    return {
        f"{resource['Type']} {value}"
        for template in templates.values()
        for resource in template["Resources"].values()
        if resource["Type"] != "AWS::IAM::Policy"
        for key, value in resource.get("Properties", {}).items()
        if key in {"Name", f"{resource['Type'].rpartition(':')[2]}Name"} and isinstance(value, str)
    }
