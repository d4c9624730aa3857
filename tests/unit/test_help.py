"""The help of every command: a sentence, an example that it accepts, and lines that fit a terminal."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from stillframe_cli.main import COMMANDS, cli


def help_of(command: str) -> str:
    result = CliRunner().invoke(cli, [command, "--help"], terminal_width=80)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_has_an_example_that_the_command_accepts(command: str) -> None:
    # Given the examples of the help
    text = help_of(command)
    examples = re.findall(r"^    stillframe (.+)$", text.partition("Example")[2], re.MULTILINE)
    assert any(example.startswith(command) for example in examples)
    # Then each of them has arguments that are right: what is wrong is found before anything is done
    for example in examples:
        words = [word for word in shlex.split(example.partition("|")[0]) if word]
        found = cli.get_command(click.Context(cli), words[0])
        assert found is not None
        found.make_context(words[0], words[1:], parent=click.Context(cli))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_fits_eighty_columns(command: str) -> None:
    assert [line for line in help_of(command).splitlines() if len(line) > 80] == []


def test_completion_knows_commands_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    for words, position, expected in (("stillframe sho", 1, "shoot"), ("stillframe shoot --full", 2, "--full-page")):
        variables = {"_STILLFRAME_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
        result = CliRunner(env=variables).invoke(cli, prog_name="stillframe")
        assert f"plain,{expected}" in result.output.splitlines()
