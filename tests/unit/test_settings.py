"""Settings: one error message names every variable that is missing or wrong."""

from __future__ import annotations

import pytest

from stillframe.settings import Settings, SettingsError

COMPLETE = {"QUEUE_URL": "q", "DEAD_LETTER_QUEUE_URL": "d", "TABLE_NAME": "t", "BUCKET_NAME": "b"}


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)


def test_every_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_URL", "q")
    with pytest.raises(SettingsError, match=r"DEAD_LETTER_QUEUE_URL: is not set; TABLE_NAME.*; BUCKET_NAME"):
        Settings.from_environment()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STILLFRAME_TABS", "0"),
        ("STILLFRAME_TABS", "many"),
        ("STILLFRAME_JOB_DEADLINE_SECONDS", "0"),
        ("STILLFRAME_JOB_DEADLINE_SECONDS", "841"),
        ("STILLFRAME_KEY_PREFIX", "a b"),
        ("STILLFRAME_KEY_PREFIX", "ends-with/"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_variable_is_named(complete: None, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment()


def test_allowed_hosts_are_a_comma_separated_list(complete: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILLFRAME_ALLOW_HOSTS", "127.0.0.1:8080, intranet.example ,")
    assert Settings.from_environment().allow_hosts == ("127.0.0.1:8080", "intranet.example")


def test_a_worker_is_named_after_its_log_stream_or_process(complete: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "-" in Settings.from_environment().worker_id
    monkeypatch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/31/[$LATEST]8f5073")
    assert Settings.from_environment().worker_id == "8f5073"
    monkeypatch.setenv("STILLFRAME_WORKER_ID", "w-1")
    assert Settings.from_environment().worker_id == "w-1"


@pytest.mark.parametrize("value", ["true", "1", "YES"])
def test_disabled_idempotency_is_refused(complete: None, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    # Powertools would then process every duplicate without protection.
    monkeypatch.setenv("POWERTOOLS_IDEMPOTENCY_DISABLED", value)
    with pytest.raises(SettingsError, match="POWERTOOLS_IDEMPOTENCY_DISABLED"):
        Settings.from_environment()


@pytest.mark.parametrize(("value", "expected"), [("3008", 3008), ("", None), ("unknown", None)])
def test_the_functions_memory_is_read_from_the_variable_that_lambda_sets(
    complete: None, monkeypatch: pytest.MonkeyPatch, value: str, expected: int | None
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", value)
    assert Settings.from_environment().function_memory_mb == expected
