"""Run the tools that read the stack's files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from tests.backends import binary

ROOT: Final = Path(__file__).parents[2]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool in the project's folder, with no variable of this process but what finds programs."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def check_rules(file: Path) -> subprocess.CompletedProcess[str]:
    """Let Prometheus' own parser read a file of rules, without any feature flag."""
    return run(binary("promtool"), "check", "rules", str(file))
