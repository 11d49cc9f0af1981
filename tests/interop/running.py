"""Starting the programs of these tests, each in a process of its own: instrumentations patch globally."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from litespan.testing import Provider, Reply, Request, ToolCall

ROOT = Path(__file__).parents[2]
# Where `make interop` installs the sets of packages: on top of the environment, as they exclude each other.
SETS = Path(sys.prefix) / "interop"
# None of the others shall tell its makers anything.
SILENCE = {
    "TRACELOOP_TELEMETRY": "false",
    "LOGFIRE_SEND_TO_LOGFIRE": "false",
    "LOGFIRE_IGNORE_NO_CONFIG": "1",
}


@dataclass
class Outcome:
    """What a program reported, and the number of requests that the provider served it."""

    report: dict[str, Any]
    served: int
    errors: str

    def named(self, *names: str, others: bool = False) -> int:
        """Count the spans whose name starts with one of these."""
        return sum(
            span["name"].startswith(names) for span in self.report["other_spans" if others else "spans"]
        )


def answer(request: Request) -> Reply | None:
    """Answer for the agent: first call its tool, then speak."""
    if request.operation == "embeddings":
        return None
    if "tools" not in request.json or any(message["role"] == "tool" for message in request.messages):
        return Reply.says("It is sunny.")
    return Reply.calls(ToolCall("weather", {"city": "Rome"}, id="call_1"))


def run(module: str, *arguments: str, packages: str, folder: Path, variables: dict[str, str]) -> Outcome:
    """Run one of the programs with a set of packages; skip the test where the set is not installed."""
    if not (SETS / packages / ".done").is_file():
        pytest.skip(f"the packages in requirements/{packages}.txt are not installed: run `make interop`")
    with Provider() as provider:
        provider.respond = answer
        done = subprocess.run(
            [sys.executable, "-m", f"tests.interop.{module}", *arguments],
            cwd=folder,
            env={
                **os.environ,
                **SILENCE,
                **variables,
                "OPENAI_API_KEY": "none",
                "OPENAI_BASE_URL": provider.base_url,
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(SETS / packages)]),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        served = provider.calls_served()
    assert 0 == done.returncode, done.stderr
    return Outcome(json.loads(done.stdout.splitlines()[-1]), served, done.stderr)
