"""Untrusted text on a terminal and in JSON: its control characters have no effect."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import click
import pytest
from click.testing import CliRunner

from stillframe.outcome import Outcome, OutcomeKind
from stillframe.printable import printable, printable_json
from stillframe.table.record import Record
from stillframe_cli import console
from stillframe_cli.console_log import ConsoleHandler
from stillframe_cli.main import LazyGroup
from stillframe_renderer.observability import json_logger, log_outcome

# Escape sequences for color, window title and clipboard, a C1 CSI, DEL, a line feed, a line separator, reversed text.
REVERSED = "\u2028 \u202egpj.exe \u2066x\u2069 \u200f \u061c"
HOSTILE = f"a\x1b[31m \x1b]0;title\x07 \x1b]52;c;cm0=\x07 \x9b2J \x7f \n {REVERSED} é漢📸"
UNSAFE = {char for char in HOSTILE if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0}
UNSAFE |= set("\u2028\u202e\u2066\u2069\u200f\u061c")


def unsafe_in(text: str) -> set[str]:
    """The unsafe characters in a text, except the line feed at its end."""
    return set(text.removesuffix("\n")) & UNSAFE


def test_every_unsafe_character_becomes_a_visible_escape() -> None:
    assert printable(HOSTILE).startswith("a\\x1b[31m \\x1b]0;title\\x07")
    assert unsafe_in(printable(HOSTILE)) == set()
    assert printable(HOSTILE).endswith("é漢📸")


def test_json_keeps_the_value_without_unsafe_characters() -> None:
    text = printable_json(json.dumps({"title": HOSTILE}, ensure_ascii=False))
    assert unsafe_in(text) == set()
    assert json.loads(text) == {"title": HOSTILE}


@pytest.mark.parametrize("field", [name for name, each in Record.model_fields.items() if each.annotation == str | None])
def test_no_field_of_a_record_is_printed_unescaped(field: str, capsys: pytest.CaptureFixture[str]) -> None:
    # Given a record with one untrusted field
    record = Record.model_validate({"id": "a", "status": "success", field: HOSTILE})
    # When it is shown, as a table and as JSON
    console.print_table(("FIELD", "VALUE"), record.to_wire().items())
    console.print_json(record.to_wire())
    # Then no unsafe character is printed
    assert unsafe_in(capsys.readouterr().out.replace("\n", "")) == set()


def test_notes_and_progress_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_note(HOSTILE)
    with console.ProgressReport("capturing", 1) as progress:
        progress.advance(HOSTILE)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert unsafe_in("".join(lines)) == set()


def test_an_error_message_is_escaped() -> None:
    # Given a command that fails with untrusted text in its message
    group = LazyGroup("stillframe")

    @click.command("fail")
    def fail() -> None:
        raise click.UsageError(f"{HOSTILE} is wrong")

    group.add_command(fail)
    group.get_command = lambda *_: fail  # type: ignore[method-assign]
    # When it is run
    result = CliRunner().invoke(group, ["fail"])
    # Then the message is printed without unsafe characters
    assert "is wrong" in result.output
    assert unsafe_in(result.output.replace("\n", "")) == set()


@pytest.mark.parametrize("name", ["url", "error_message", "reason", "winner"])
def test_both_forms_of_the_log_are_escaped(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    # Given an outcome with untrusted text
    values: dict[str, Any] = {"id": "a", "url": "u", "message_id": "m", name: HOSTILE}
    outcome = Outcome(kind=OutcomeKind.FAILED, acknowledge=True, **values)
    # When it is logged as JSON, and in the form for the console
    stream = io.StringIO()
    json_logger("INFO", stream)
    log_outcome(outcome)
    handler = ConsoleHandler("worker")
    record = logging.makeLogRecord({"name": "stillframe", "levelname": "INFO", "msg": HOSTILE, **outcome.to_wire()})
    handler.emit(record)
    # Then no unsafe character is printed
    assert unsafe_in(stream.getvalue()) == set()
    assert unsafe_in(capsys.readouterr().err.replace("\n", "")) == set()
