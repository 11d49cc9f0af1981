"""A program that prints its telemetry, and somebody who stops reading."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
import litespan
from litespan.testing import Provider, Reply

litespan.configure()
with Provider() as provider:
    import litellm
    for _ in range(3):
        provider.script("gpt-4.1-mini", Reply.says("Four."))
        answer = litellm.completion(
            "openai/gpt-4.1-mini", [{"role": "user", "content": "2 + 2?"}],
            api_base=provider.base_url, api_key="none",
        )
        assert answer.choices[0].message.content == "Four."
        litespan.flush()
    stats = litespan.stats()["export"]
    print(json.dumps(stats), file=sys.stderr)
"""


@pytest.mark.parametrize(("signal", "other"), [("traces", "metrics"), ("metrics", "traces")])
def test_the_program_goes_on(signal: str, other: str) -> None:
    """What cannot be printed is a counted loss; the program reaches its end."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            f"OTEL_{signal.upper()}_EXPORTER": "console",
            f"OTEL_{other.upper()}_EXPORTER": "none",
        },
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=100,
    )
    os.close(writer)
    stats = json.loads(done.stderr.splitlines()[-1])[signal]

    assert done.returncode == 0, done.stderr
    if signal == "traces":
        assert stats["dropped"] == {"export_failed": 3}
    else:
        assert stats["export_failures"] == {"BrokenPipeError": 3}  # sums are told again
