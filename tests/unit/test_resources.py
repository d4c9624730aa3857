"""How a command finds its deployment: what somebody has just written takes precedence over the environment."""

from __future__ import annotations

import pytest

from stillframe.settings import SettingsError
from stillframe_cli import resources

OUTPUTS = {
    "QueueUrl": "https://sqs/of-the-stack",
    "DeadLetterQueueUrl": "https://sqs/of-the-stack-dead",
    "TableName": "of-the-stack",
    "BucketName": "of-the-stack",
}


@pytest.fixture
def ambient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of another deployment, such as those that `stillframe dev` prints."""
    for _, variable, _ in resources.RESOURCES:
        monkeypatch.setenv(variable, "http://127.0.0.1:1/of-the-environment")


def test_an_explicit_stack_takes_precedence_over_the_environment(
    ambient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "stack_outputs", lambda stack: OUTPUTS)
    settings = resources.find_settings("Stillframe", {"table_name": "by-option"})
    assert settings.queue_url == "https://sqs/of-the-stack"
    assert settings.bucket_name == "of-the-stack"
    assert settings.table_name == "by-option"


def test_a_stack_that_lacks_a_resource_is_not_filled_up_from_the_environment(
    ambient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "stack_outputs", lambda stack: {**OUTPUTS, "TableName": ""})
    with pytest.raises(SettingsError, match="do not include TABLE_NAME"):
        resources.find_settings("Stillframe", {})


def test_without_a_stack_the_environment_is_used(ambient: None) -> None:
    assert resources.find_settings(None, {}).table_name == "http://127.0.0.1:1/of-the-environment"
