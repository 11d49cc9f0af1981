"""What was seen, as text for a terminal or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from litespan.cli.desk import closing
from litespan.cli.desk.session import Observation
from litespan.cli.desk.tickets import TICKETS
from litespan.cli.figures import call_figures, figures_by_model, model_figures, run_figures
from litespan.cli.tables import ModelsTable, RunsTable
from litespan.export.tree_view import TreeView
from litespan.records import OK

_TITLES = {ticket.number: ticket.title for ticket in TICKETS}


class Report:
    """The figures of an observation, worked out once."""

    def __init__(self, observation: Observation) -> None:
        self._seen = observation
        rows = list(chain.from_iterable(observation.traces.values()))
        figures = [run_figures(trace, rows) for trace, rows in observation.traces.items()]
        self._runs = sorted((run for run in figures if run), key=lambda run: run.conversation or "")
        self._models = figures_by_model(rows)
        self._columns = [*self._models, model_figures("all", rows)] if len(self._models) > 1 else self._models
        self._totals = call_figures(rows)

    @property
    def sound(self) -> bool:
        """Whether all was delivered, some run was answered, and the figures are the provider's."""
        comparison = self._seen.comparison
        answered = any(run.outcome == OK for run in self._runs)
        return self._seen.delivered and answered and (comparison is None or comparison.same)

    def as_json(self) -> str:
        """Return the figures as JSON: tokens are whole numbers, costs USD, times seconds, unknown is null."""
        return json.dumps(self._document(), indent=2)

    def _document(self) -> dict[str, Any]:
        seen = self._seen
        comparison = seen.comparison
        return {
            "runs": [{"title": _TITLES.get(run.conversation or ""), **asdict(run)} for run in self._runs],
            "models": [asdict(model) for model in self._models],
            "totals": asdict(self._totals),
            "provider": None if comparison is None else {**asdict(comparison), "same": comparison.same},
            "delivered": seen.delivered,
            "exported": {signal: counts["exported"] for signal, counts in seen.export.items()},
            "files": dict(seen.plan.files),
            "otlp": seen.plan.receiver,
        }

    def show(self, console: Console) -> None:
        """Print it for a reader."""
        console.print(self._opening())
        console.print()
        for title, body in self._sections():
            console.print(Text(title, style="bold cyan"))
            console.print(body)
            console.print()
        for line in closing.lines(self._seen):
            console.print(line, soft_wrap=True)

    def _opening(self) -> str:
        model = self._seen.plan.model or "a fake provider (no key, no network)"
        return f"A support desk of four agents, on {model}."

    def _sections(self) -> Iterator[tuple[str, RenderableType]]:
        if not self._runs:
            return
        richest = max(self._runs, key=lambda run: len(self._seen.traces[run.trace]))
        title = f"Run {richest.conversation}: {_TITLES.get(richest.conversation or '', '')}"
        yield title, TreeView(self._seen.traces[richest.trace])
        yield "All runs", RunsTable(self._runs, _TITLES)
        yield "Models", ModelsTable(self._columns)
