"""A summary for programs: JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from litespan import semconv
from litespan.cli.sums.groups import Groups
from litespan.cli.sums.names import OUTCOMES, TOKENS
from litespan.cli.sums.reading import Reading
from litespan.cli.sums.summary import Summary, time_text
from litespan.cli.sums.sums import Sums

COLUMNS: Final = ("by", "name", "calls", *OUTCOMES, *TOKENS, "cost_usd", "unpriced", "usage_missing")


def as_json(summary: Summary, reading: Reading) -> str:
    """Return everything as JSON: whole tokens, costs in USD, times in seconds; what is not known is null."""
    return json.dumps(_document(summary, reading), indent=2)


def _document(summary: Summary, reading: Reading) -> dict[str, Any]:
    return {
        "since": time_text(summary.since_ns),
        "first_call": time_text(summary.first_ns),
        "last_call": time_text(summary.last_ns),
        "totals": summary.total.as_dict(),
        "by": {name: _groups(groups) for name, groups in summary.groups.items()},
        "dearest_runs": [run.as_dict() for run in summary.runs.dearest()],
        "slowest_runs": [run.as_dict() for run in summary.runs.slowest()],
        "unsent": summary.unsent,
        "read": {
            "files": list(reading.files),
            "bytes": reading.bytes,
            "lines": reading.lines,
            "broken": reading.broken,
            "spans": summary.spans,
            "spans_of_other_tools": summary.others,
            "seconds": round(reading.seconds, 3),
            "megabytes_per_second": round(reading.megabytes_per_second, 1),
        },
    }


def _groups(groups: Groups) -> dict[str, Any]:
    return {
        "groups": [{"name": name, **sums.as_dict()} for name, sums in groups.dearest()],
        "other": None if groups.other is None else groups.other.as_dict(),
    }


def as_csv(summary: Summary) -> str:
    """Return one table: a line for the total, and one for each group. What is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(summary))
    return text.getvalue()


def _rows(summary: Summary) -> Iterator[list[object]]:
    yield _row("total", None, summary.total)
    for by, groups in summary.groups.items():
        for name, sums in groups.dearest():
            yield _row(by, name, sums)
        if groups.other is not None:
            yield _row(by, semconv.OTHER, groups.other)


def _row(by: str, name: str | None, sums: Sums) -> list[object]:
    outcomes = [sums.outcomes[outcome] for outcome in OUTCOMES]
    # The nearest double, as in JSON: the decimals behind it are noise of the doubles in the file.
    cost = None if sums.cost is None else f"{Decimal(repr(float(sums.cost))):f}"
    return [by, name, sums.calls, *outcomes, *sums.tokens, cost, sums.unpriced, sums.missing.total()]
