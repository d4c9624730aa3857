"""A worker goes by what its queue is set to, and refuses a queue on which no capture can end."""

from __future__ import annotations

import dataclasses
import logging

import pytest

from stillframe.queue_settings import QueueSettings
from stillframe.settings import Settings, SettingsError

ARN = "arn:aws:sqs:us-east-1:000000000000:"
DAY = 24 * 3600


def settings(**values: object) -> Settings:
    names = {"QUEUE_URL": "https://sqs/0/q", "DEAD_LETTER_QUEUE_URL": "https://sqs/0/dead", "TABLE_NAME": "t"}
    return Settings.model_validate({**names, "BUCKET_NAME": "b", **values})


def queue(visibility: int = 360, retention: int = 4 * DAY, limit: int | None = 5, dead: str = "dead") -> QueueSettings:
    return QueueSettings(ARN + "q", visibility, retention, limit, ARN + dead if limit is not None else None)


@pytest.mark.parametrize("limit", [1, 2, 10, 1000])
def test_the_queues_receive_limit_wins(limit: int, caplog: pytest.LogCaptureFixture) -> None:
    applied = queue(limit=limit).apply(settings(STILLFRAME_MAX_RECEIVE_COUNT="5"))
    assert (applied.max_receive_count, applied.has_redrive_policy) == (limit, True)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_queue_as_it_was_told_needs_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert queue().apply(settings(STILLFRAME_MAX_RECEIVE_COUNT="5")).max_receive_count == 5
    assert caplog.records == []


def test_a_limit_that_nobody_configured_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert queue(limit=3).apply(settings()).max_receive_count == 3
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_without_a_redrive_policy_the_worker_keeps_its_own_limit_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    applied = queue(limit=None).apply(settings(STILLFRAME_MAX_RECEIVE_COUNT="3"))
    assert (applied.max_receive_count, applied.has_redrive_policy) == (3, False)
    assert "no redrive policy (maxReceiveCount)" in caplog.text


@pytest.mark.parametrize(
    ("margin", "visibility", "is_refused"), [(2, 9, True), (2, 10, False), (1, 7, True), (1, 8, False), (0, 5, True)]
)
def test_a_visibility_timeout_in_which_no_capture_can_end_is_refused(
    margin: int, visibility: int, is_refused: bool
) -> None:
    told = settings(STILLFRAME_LEASE_MARGIN_SECONDS=str(margin))
    if is_refused:
        with pytest.raises(SettingsError, match=f"visibility timeout is {visibility} s.*set it to {51 + 2 * margin} s"):
            queue(visibility).apply(told)
    else:
        queue(visibility).apply(told)


def test_a_visibility_timeout_shorter_than_a_job_is_told(caplog: pytest.LogCaptureFixture) -> None:
    queue(54).apply(settings())
    assert [vars(record)["shouldBe"] for record in caplog.records] == [55]
    caplog.clear()
    queue(55).apply(settings())
    assert caplog.records == []


def test_messages_that_expire_before_they_can_be_retried_are_refused() -> None:
    with pytest.raises(SettingsError, match="keeps messages for 360 s"):
        queue(visibility=360, retention=360).apply(settings())
    queue(visibility=360, retention=361).apply(settings())


def test_a_fifo_queue_is_refused() -> None:
    fifo = dataclasses.replace(queue(), arn=ARN + "q.fifo")
    with pytest.raises(SettingsError, match="QUEUE_URL names a FIFO queue"):
        fifo.apply(settings())


def test_a_queue_cannot_be_its_own_dead_letter_queue() -> None:
    with pytest.raises(SettingsError, match="name the same queue"):
        queue(limit=None).apply(settings(DEAD_LETTER_QUEUE_URL="https://sqs/0/q"))


def test_another_dead_letter_queue_than_the_one_configured_is_told(caplog: pytest.LogCaptureFixture) -> None:
    queue(dead="elsewhere").apply(settings())
    assert "another queue than DEAD_LETTER_QUEUE_URL names" in caplog.text
