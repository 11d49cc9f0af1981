"""Where wrapt has no compiled part, as on PyPy or where none was built, calls are told apart all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE = {"WRAPT_DISABLE_EXTENSIONS": "1"}


@pytest.mark.timeout(240)
def test_calls_inside_calls_are_told_apart() -> None:
    """LiteLLM's own calls are known by who makes them; between them and litespan is a frame of wrapt then."""
    check = "import wrapt; print(wrapt.FunctionWrapper.__call__)"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/flow/test_nested_calls.py",
    ]
    environment = {**os.environ, **PURE}
    kind = subprocess.run([sys.executable, "-c", check], env=environment, capture_output=True, check=True)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert b"<function " in kind.stdout
    assert 0 == done.returncode, done.stdout
