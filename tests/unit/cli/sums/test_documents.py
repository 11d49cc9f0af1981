"""The shape of the JSON and the CSV, which programs rest on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from litespan import semconv
from litespan.cli.sums.documents import COLUMNS, as_csv, as_json
from litespan.cli.sums.reading import Reading, read
from litespan.cli.sums.spans import read_line
from litespan.cli.sums.summary import Summary
from tests.unit.cli.sums import otlp

SUMS = {
    "calls": 2,
    "outcomes": {"ok": 2},
    "input_tokens": 20,
    "cache_read_tokens": None,
    "cache_write_tokens": None,
    "output_tokens": 10,
    "reasoning_tokens": None,
    "cost": 0.3,
    "unpriced": 0,
    "usage_missing": 0,
    "usage_missing_reasons": {},
}
RUN = {
    "trace_id": "a" * 32,
    "name": "Support",
    "outcome": "ok",
    "start_unix_nano": otlp.NOON,
    "duration": 1.0,
    "calls": 2,
    "cost": 0.3,
    "unpriced": 0,
}


def read_files(*paths: Path, **options: Any) -> tuple[Summary, Reading]:
    """Read files into a summary by model."""
    summary = Summary(by=["model"], **options)
    return summary, read([str(path) for path in paths], summary, lambda _: None)


def without(document: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return a document without what differs from one reading to the next."""
    return {key: value for key, value in document.items() if key not in keys}


def test_json_document(tmp_path: Path) -> None:
    """The whole document: totals, groups, runs, and how it was read; 0.1 and 0.2 make 0.3."""
    path = tmp_path / "t"
    line = otlp.line(otlp.call((10, 5), 0.1), otlp.call((10, 5), 0.2), otlp.workflow())
    path.write_bytes(line + b"broken\n")
    summary, reading = read_files(path, since_ns=otlp.NOON)
    document = json.loads(as_json(summary, reading))

    assert {
        "since": "2026-06-01T12:00:00Z",
        "first_call": "2026-06-01T12:00:00Z",
        "last_call": "2026-06-01T12:00:00Z",
        "totals": SUMS,
        "by": {"model": {"groups": [{"name": "gpt-4.1", **SUMS}], "other": None}},
        "dearest_runs": [RUN],
        "slowest_runs": [RUN],
        "unsent": 0,
    } == without(document, "read")
    assert {
        "files": [str(path)],
        "bytes": len(line) + 7,
        "lines": 2,
        "broken": 1,
        "spans": 3,
        "spans_of_other_tools": 0,
    } == without(document["read"], "seconds", "megabytes_per_second")
    assert document["read"]["seconds"] >= 0
    assert [f"{path}:2: not JSON (Expecting value, at character 1)"] == reading.problems


def test_problems_are_told_up_to_a_bound(tmp_path: Path) -> None:
    """A file that is something else altogether is counted whole, and told in few lines."""
    (tmp_path / "t").write_bytes(b"x\n" * 500)
    _, reading = read_files(tmp_path / "t")

    assert (500, 20) == (reading.broken, len(reading.problems))


def test_names_beyond_the_bound_are_other() -> None:
    """Where a dimension has too many names, JSON and CSV say what the rest sums up to."""
    summary = Summary(by=["user"], max_groups=1)
    spans = [otlp.call((10, 5), 0.1, attributes={semconv.USER_ID: user}) for user in "abc"]
    summary.add(read_line(otlp.line(*spans)))
    reading = Reading([], 0, 0, 0, [], 0.0)

    assert 2 == json.loads(as_json(summary, reading))["by"]["user"]["other"]["calls"]
    assert ["user", "other", "2"] == as_csv(summary).splitlines()[-1].split(",")[:3]


@given(st.text(max_size=30))
def test_any_name_survives_csv(name: str) -> None:
    """A name with quotes, commas, newlines or anything else is one cell, and the line has all columns."""
    summary = Summary(by=["user"])
    span = otlp.call((10, 5), 1e-7, attributes={semconv.USER_ID: name})
    summary.add(read_line(otlp.line(span)))
    header, total, row = csv.reader(io.StringIO(as_csv(summary), newline=""))

    assert list(COLUMNS) == header
    assert ("total", "") == (total[0], total[1])
    assert ("user", name, "0.0000001") == (row[0], row[1], row[COLUMNS.index("cost_usd")])
