"""A program that a user interrupts ends by the signal: only then does a shell stop a loop around it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.fakes.otlp_server import collector
from tests.process.shell import python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a signal")

PROGRAM = """
import signal
from agents import Agent, Runner
import litespan
from litespan.testing import Provider

litespan.configure()
with Provider() as provider:
    model = litespan.LitellmModel("openai/gpt-4o-mini", base_url=provider.url(), api_key="k")
    Runner.run_sync(Agent(name="Helper", model=model), "Hi")
signal.raise_signal(signal.SIGINT)
"""


@pytest.mark.parametrize("exporter", ["litespan_file", "console", "http/protobuf", "grpc"])
def test_exit_code_of_an_interrupted_program(exporter: str, tmp_path: Path) -> None:
    """What is sent and measured at exit leaves it to Python to end the process by SIGINT."""
    with collector("grpc" if exporter == "grpc" else "http/protobuf") as received:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": received.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": exporter,
        }
        if exporter in {"litespan_file", "console"}:
            variables = {"OTEL_TRACES_EXPORTER": exporter, "OTEL_METRICS_EXPORTER": exporter}
        done = python("-c", PROGRAM, folder=tmp_path, **variables)

    assert -signal.SIGINT == done.returncode
    assert "KeyboardInterrupt" == done.stderr.splitlines()[-1]
