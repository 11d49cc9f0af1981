"""The commands explain themselves."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from litespan.cli import main

COMMANDS = sorted(main.commands.items())
OPTIONS = [
    pytest.param(parameter, id=f"{name}{parameter.opts[0]}")
    for name, command in COMMANDS
    for parameter in command.params
    if isinstance(parameter, click.Option)
]


@pytest.mark.parametrize("option", OPTIONS)
def test_option_has_an_example(option: click.Option) -> None:
    """Every option says what it does, with an example."""
    assert "Example: --" in (option.help or "")


@pytest.mark.parametrize("command", [command for _, command in COMMANDS], ids=[name for name, _ in COMMANDS])
def test_command_has_an_example(command: click.Command) -> None:
    """Every command says what it does, with an example."""
    assert f"Example: litespan {command.name}" in (command.help or "")


@pytest.mark.parametrize("arguments", [[], ["dashboards"]])
def test_lists_cut_nothing(arguments: list[str]) -> None:
    """At 80 columns every line in a list of commands is a whole sentence."""
    text = CliRunner().invoke(main, [*arguments, "--help"], terminal_width=80).output

    assert "..." not in text.partition("Commands:\n")[2]
    assert "export" in text or "summary" in text


def test_help_is_cheap() -> None:
    """The command line is there without loading a host, OpenTelemetry's SDK or rich."""
    program = (
        "import sys, litespan.cli; "
        "print({'litellm', 'agents', 'opentelemetry.sdk', 'rich'} & sys.modules.keys() or 'none')"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout == "none\n"
