"""The commands of the page about the doctor work, and its table is what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fakes.otlp_server import collector
from tests.pages import blocks, page
from tests.process.shell import bash

PAGE = page("doctor")
COMMANDS = "".join(blocks(PAGE, "sh")).splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_command_works(command: str, tmp_path: Path) -> None:
    """Every command of the page ends as it should: with a receiver all is well."""
    with collector() as received:
        done = bash(command.replace("http://localhost:4318", received.endpoint), tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout


def test_output_is_shown_as_it_is(tmp_path: Path) -> None:
    """The output on the page is the command's own, but for port and versions."""
    shown = blocks(PAGE, "text")[0]
    with collector("grpc") as received:
        done = bash(
            "litespan doctor",
            tmp_path,
            COLUMNS="110",
            OTEL_EXPORTER_OTLP_ENDPOINT=received.endpoint,
            OTEL_TRACES_SAMPLER="traceidratio",
            OTEL_TRACES_SAMPLER_ARG="0.1",
        )

    assert normal(shown) == normal(done.stdout)


def normal(text: str) -> list[str]:
    """Return the words of an output without what differs from machine to machine."""
    return re.sub(r"127\.0\.0\.1:\d+|\b\d+\.\d+\.\d+\b", "N", text).split()
