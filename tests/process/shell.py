"""Run a command of the documentation as a reader does."""

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
