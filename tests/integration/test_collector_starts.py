"""The Collector takes nothing in before the queues on its disk are open: what came earlier would be lost."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.integration.servers.collector import Collector

STARTS: Final = 24
"""Up to Collector 0.155 chance decided about the order, and was wrong at about one start in seven."""

NOWHERE: Final = "127.0.0.1:9"


def test_receivers_start_last(tmp_path: Path) -> None:
    """A receiver of several signals begins to listen when the queues of all of them are open."""
    collector = Collector(tmp_path, NOWHERE, f"http://{NOWHERE}")
    for _ in range(STARTS):
        with collector:
            begun = [line for line in _log(collector) if "Starting HTTP server" in line or "queue" in line]
            collector.log.unlink()

        assert sum("queue" in line for line in begun) >= 2, begun
        assert "Starting HTTP server" in begun[-1], begun


def _log(collector: Collector) -> list[str]:
    """Return the log's messages, without what they are about."""
    return [line.split("{")[0] for line in collector.log.read_text(encoding="utf-8").splitlines()]
