"""What litespan says of itself when a program ends: its last export holds its own metrics, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import litespan

litespan.configure()
"""


def names(line: str) -> set[str]:
    """Return the names of the metrics in one line of the file."""
    return {
        metric["name"]
        for resource in json.loads(line)["resourceMetrics"]
        for scope in resource["scopeMetrics"]
        for metric in scope["metrics"]
    }


def test_the_last_export_tells_of_litespan_itself(tmp_path: Path) -> None:
    """A program that only exits has sent how many records were open and how much was waiting."""
    subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=dict(os.environ), timeout=60, check=True
    )
    last = (tmp_path / "litespan-metrics.jsonl").read_text().splitlines()[-1]
    assert {"litespan.records.open", "litespan.export.queue.size"} <= names(last)
