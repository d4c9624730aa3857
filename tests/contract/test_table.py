"""DynamoDB: conditional writes, and what a refusal returns (Amazon DynamoDB Developer Guide, API Reference)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillframe.aws_errors import cancellation_codes, is_conditional_failure
from stillframe.table.attributes import to_attributes
from stillframe.table.update import Update

from .conftest import Services

Attributes = dict[str, Any]

# Condition, values, and whether it holds for an item with the attributes word = "held" and lease = 1000.
CONDITIONS: tuple[tuple[str, Attributes, bool], ...] = (
    ("attribute_exists(id)", {}, True),
    ("attribute_not_exists(id)", {}, False),
    ("attribute_not_exists(absent)", {}, True),
    ("word = :w", {":w": "held"}, True),
    ("word = :w", {":w": "other"}, False),
    ("word <> :w", {":w": "held"}, False),
    ("word <> :w", {":w": "other"}, True),
    ("absent = :w", {":w": "held"}, False),
    ("lease < :n", {":n": 1001}, True),
    ("lease < :n", {":n": 1000}, False),
    ("lease < :n", {":n": 999}, False),
    ("lease < :n", {":n": 10_000}, True),
    ("absent < :n", {":n": 10_000}, False),
    ("lease = :w", {":w": "1000"}, False),
    ("word IN (:a, :b)", {":a": "x", ":b": "held"}, True),
    ("word IN (:a, :b)", {":a": "x", ":b": "y"}, False),
    ("absent IN (:a, :b)", {":a": "x", ":b": "y"}, False),
    ("word = :w AND lease < :n", {":w": "held", ":n": 1001}, True),
    ("word = :w AND lease < :n", {":w": "held", ":n": 1000}, False),
    ("word = :w OR lease < :n", {":w": "other", ":n": 1001}, True),
    ("word = :w OR lease < :n", {":w": "other", ":n": 1000}, False),
    # AND binds more tightly than OR.
    ("attribute_exists(id) OR word = :w AND lease < :n", {":w": "other", ":n": 0}, True),
    ("(attribute_exists(id) OR word = :w) AND lease < :n", {":w": "other", ":n": 0}, False),
)


class Table:
    """Shortcuts to the table under test."""

    def __init__(self, services: Services) -> None:
        self._client = services.clients.dynamodb
        self._name = services.settings.table_name

    def put(self, condition: str | None = None, **values: object) -> Any:
        extra = {"ConditionExpression": condition} if condition else {}
        return self._client.put_item(TableName=self._name, Item=to_attributes({"id": "a", **values}), **extra)  # type: ignore[arg-type]

    def update(self, update: Update, **arguments: object) -> Any:
        key = to_attributes({"id": "a"})
        return self._client.update_item(TableName=self._name, Key=key, **update.to_arguments(), **arguments)  # type: ignore[arg-type]

    def try_update(self, update: Update) -> bool:
        """Whether the condition of the update held."""
        try:
            self.update(update)
        except ClientError as error:
            if not is_conditional_failure(error):
                raise
            return False
        return True

    def transact(self, updates: dict[str, Update]) -> None:
        items = [
            {"Update": {"TableName": self._name, "Key": to_attributes({"id": key}), **update.to_arguments()}}
            for key, update in updates.items()
        ]
        self._client.transact_write_items(TransactItems=items)  # type: ignore[arg-type]

    def item(self, key: str = "a") -> Any:
        answer = self._client.get_item(TableName=self._name, Key=to_attributes({"id": key}), ConsistentRead=True)
        return answer.get("Item")

    def raw_update(self, **arguments: Any) -> Any:
        return self._client.update_item(TableName=self._name, Key=to_attributes({"id": "a"}), **arguments)


@pytest.fixture(params=["simulation", "ministack", "moto"])
def backend(request: pytest.FixtureRequest) -> str:
    """The model, and two independent emulators."""
    return str(request.param)


@pytest.fixture
def table(services: Services) -> Table:
    return Table(services)


def is_conditional_refusal(error: pytest.ExceptionInfo[ClientError]) -> bool:
    return is_conditional_failure(error.value)


def test_reading_an_absent_item_returns_nothing(table: Table) -> None:
    assert table.item() is None


def test_a_put_replaces_the_whole_item(table: Table) -> None:
    # Given an item, when it is replaced by another, then nothing of it is left
    table.put(status="queued", attempts=1)
    table.put(status="queued", url="u")
    assert table.item() == to_attributes({"id": "a", "status": "queued", "url": "u"})


def test_a_put_under_a_condition_does_not_replace(table: Table) -> None:
    # Given an item
    table.put("attribute_not_exists(id)", status="success")
    # When another is put on the condition that none exists
    with pytest.raises(ClientError) as error:
        table.put("attribute_not_exists(id)", status="queued")
    # Then it is refused, and the item is unchanged
    assert is_conditional_refusal(error)
    assert table.item()["status"] == {"S": "success"}


def test_an_update_creates_the_item(table: Table) -> None:
    # Given no item, when one is updated, then it has the key and the new values, and no old item is returned
    answer = table.update(Update({"status": "queued"}, "attribute_not_exists(id)"), ReturnValues="ALL_OLD")
    assert "Attributes" not in answer
    assert table.item() == to_attributes({"id": "a", "status": "queued"})


def test_an_update_returns_the_old_item(table: Table) -> None:
    # Given an item
    table.put(status="processing", attempts=1)
    # When it is updated
    answer = table.update(Update({"status": "success"}, "attribute_exists(id)"), ReturnValues="ALL_OLD")
    # Then the response has the complete old item
    assert answer["Attributes"] == to_attributes({"id": "a", "status": "processing", "attempts": 1})


def test_a_refused_update_returns_the_existing_item(table: Table) -> None:
    # Given an item
    table.put(status="success", workerId="w")
    # When an update that asks for the item is refused
    with pytest.raises(ClientError) as error:
        table.update(
            Update({"status": "queued"}, "#status = :queued", values={":queued": "queued"}),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    # Then the error has the item, and the item is unchanged
    assert is_conditional_refusal(error)
    assert error.value.response["Item"] == to_attributes({"id": "a", "status": "success", "workerId": "w"})  # type: ignore[typeddict-item]
    assert table.item()["status"] == {"S": "success"}


def test_a_refused_update_of_an_absent_item_returns_nothing(table: Table) -> None:
    # Given no item, when an update that requires one is refused, then it returns none and creates none
    with pytest.raises(ClientError) as error:
        table.update(Update({"status": "x"}, "attribute_exists(id)"), ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert is_conditional_refusal(error)
    assert "Item" not in error.value.response
    assert table.item() is None


def test_an_update_sets_removes_and_counts(table: Table) -> None:
    # Given an item
    table.put(status="failed", errorCode="TIMEOUT", attempts=2)
    # When one update sets, removes and counts
    table.update(
        Update(
            {"status": "processing"},
            "attribute_exists(id)",
            remove=("errorCode", "errorMessage"),
            set_expressions=(
                "attempts = if_not_exists(attempts, :zero) + :one",
                "queuedAt = if_not_exists(queuedAt, :sent)",
            ),
            values={":zero": 0, ":one": 1, ":sent": 7},
        )
    )
    # Then removing an absent attribute is no error, and the count goes up
    assert table.item() == to_attributes({"id": "a", "status": "processing", "attempts": 3, "queuedAt": 7})


def test_if_not_exists_starts_with_its_default(table: Table) -> None:
    values = {":zero": 0, ":one": 1}
    counting = ("attempts = if_not_exists(attempts, :zero) + :one",)
    table.update(Update({"status": "x"}, "attribute_not_exists(id)", set_expressions=counting, values=values))
    assert table.item()["attempts"] == {"N": "1"}


def test_conditions_mean_what_the_documentation_says(table: Table) -> None:
    # Given an item with a word and a number
    table.put(word="held", lease=1000)
    wrong = []
    for condition, values, holds in CONDITIONS:
        # When an update depends on the condition
        took_effect = table.try_update(Update({"marked": 1}, condition, values=values))
        # Then it took effect exactly when the condition holds
        wrong += [(condition, values)] if took_effect != holds else []
    assert wrong == []


def test_numbers_compare_as_numbers(table: Table) -> None:
    # Given 9, which is greater than 10 as text
    table.put(lease=9)
    # When it is compared with 10, then it is smaller
    table.update(Update({"status": "x"}, "lease < :n", values={":n": 10}))
    assert table.item()["status"] == {"S": "x"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"ExpressionAttributeValues": {":s": {"S": "x"}, ":unused": {"S": "y"}}},
        {"ExpressionAttributeValues": {":s": {"S": "x"}}, "ExpressionAttributeNames": {"#unused": "y"}},
    ],
    ids=["value", "name"],
)
def test_an_unused_placeholder_is_refused(table: Table, arguments: Attributes) -> None:
    with pytest.raises(ClientError) as error:
        table.raw_update(UpdateExpression="SET word = :s", **arguments)
    assert error.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize("word", ["status", "url", "name", "missing"])
def test_a_reserved_word_needs_a_placeholder(table: Table, word: str) -> None:
    # Given / When an expression uses a reserved word as an attribute name (Developer Guide, "Reserved words")
    values = {":s": {"S": "x"}}
    with pytest.raises(ClientError) as error:
        table.raw_update(UpdateExpression=f"SET {word} = :s", ExpressionAttributeValues=values)
    # Then it is refused, and a placeholder for the name is accepted
    assert error.value.response["Error"]["Code"] == "ValidationException"
    names = {"#word": word}
    table.raw_update(
        UpdateExpression="SET #word = :s", ExpressionAttributeValues=values, ExpressionAttributeNames=names
    )
    assert table.item()[word] == {"S": "x"}


def test_exactly_one_of_many_concurrent_writers_succeeds(services: Services) -> None:
    # Given sixteen writers
    table, won = Table(services), []

    def write(number: int) -> None:
        try:
            table.update(Update({"workerId": str(number)}, "attribute_not_exists(id)"))
        except ClientError:
            return
        won.append(str(number))

    writers = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    # When all of them write on the condition that no item exists
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    # Then exactly one succeeds, and the item is from that one
    assert [table.item()["workerId"]["S"]] == won


def test_a_transaction_applies_all_or_none(table: Table) -> None:
    # Given one item, and a transaction that needs it and another one to be absent
    table.put(status="processing")
    needs_item = Update({"status": "success"}, "#status = :was", values={":was": "processing"})
    is_first = Update({"lastScreenshotId": "a"}, "attribute_not_exists(#id)")
    # When it is sent twice
    table.transact({"a": needs_item, "b": is_first})
    with pytest.raises(ClientError) as error:
        table.transact({"a": Update({"status": "again"}, "attribute_exists(#id)"), "b": is_first})
    # Then the second one has changed nothing, and names the condition that did not hold
    assert cancellation_codes(error.value) == ["None", "ConditionalCheckFailed"]
    assert (table.item()["status"], table.item("b")["lastScreenshotId"]) == ({"S": "success"}, {"S": "a"})
