"""The commands, reasons and figures of the page about delivery are right."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from litespan import recorder, table
from litespan.cli import main
from litespan.export import ledger
from litespan.export.queue_book import queue_size
from litespan.export.spool import pause
from litespan.export.spool.limits import Limits
from litespan.export.spool.store import Store
from litespan.settings import load_settings
from tests.fakes.otlp_server import collector
from tests.pages import blocks, page
from tests.process.shell import bash
from tests.unit.cli.sums import otlp

PAGE = page("delivery")
COMMANDS = [block.strip() for block in blocks(PAGE, "sh") if block.startswith("litespan send ")]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no lock that ends with its process")
@pytest.mark.parametrize("command", COMMANDS)
def test_command_works(command: str, tmp_path: Path) -> None:
    """Every command of the page sends files as litespan leaves them."""
    line = otlp.line(otlp.call((10, 5), 0.5))
    (tmp_path / "litespan-traces.jsonl").write_bytes(line)
    (tmp_path / "litespan-metrics.jsonl").write_bytes(b'{"resourceMetrics":[]}\n')
    (tmp_path / "spool").mkdir()
    store = Store(str(tmp_path / "spool"), "traces", Limits(10**6, 1000), lambda *_: None)
    store.append(b"", 0)
    store.close()
    with collector("grpc" if "grpc" in command else "http/protobuf") as received:
        done = bash(re.sub(r"http://localhost:\d+", received.endpoint, command), tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert len(received.trace_requests) == 1


def test_reasons_are_those_of_the_code() -> None:
    """Each reason of a loss is on the page, but for the one that only the terminal knows."""
    reasons = set(ledger._WHAT_TO_DO) | {ledger.EXPORT_FAILED, recorder.TOO_MANY_OPEN, recorder.TOO_OLD}
    named = set(re.findall(r"`(\w+)`", PAGE))

    assert reasons - {ledger.NO_ROOT} <= named


def test_bounds_are_those_of_the_code() -> None:
    """Sizes, ages and pauses on the page are the ones that hold."""
    settings = load_settings({})

    assert (2048, 512) == queue_size({})
    assert "up to 2,048 spans" in PAGE
    assert (250_000, 50_000, 6 * 3600) == (table.MAX_RECORDS, table.MAX_TRACES, settings.record_max_age)
    assert "250,000 of them, or 50,000 traces," in PAGE
    assert "(512 spans, or the last 5 seconds;" in PAGE
    assert (100_000_000, 2 * 86_400) == (settings.spool_max_bytes, settings.spool_max_age)
    assert (1.0, 30.0) == (pause.FIRST, pause.LONGEST)


def test_exit_codes_are_told_alike() -> None:
    """The page and the command's help name the same exit codes."""
    told = CliRunner().invoke(main, ["send", "--help"]).stdout

    assert ["0", "1", "2", "3"] == re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
    assert all(re.search(rf"\b{code}\s", told) for code in "0123")
