"""Run a program of Python, or a command of the documentation as a reader does, to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def bash(command: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it in a folder, with the commands of this Python's environment at hand."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def python(*arguments: str, folder: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments in a folder, and with more variables than those of the tests."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
