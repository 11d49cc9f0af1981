"""A program with many models and outcomes, observed by litespan: `python -m tests.integration.load_program`.

It plays the mixed load of the ledger tests on a fake provider, with `litespan.configure` as any program has
it, and writes a report: what the provider served, and which spans the program made.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tests.isolation import clean_environment

clean_environment(os.environ)  # before LiteLLM is imported, which reads its variables then

import click  # noqa: E402
from opentelemetry.sdk.trace import ReadableSpan  # noqa: E402

import litespan  # noqa: E402
from tests.integration.span_copies import copy_of_spans  # noqa: E402
from tests.ledger import ledger, rates  # noqa: E402
from tests.ledger.audit import settle, staged  # noqa: E402
from tests.ledger.figures import Book, Figures  # noqa: E402
from tests.ledger.load import play, tasks  # noqa: E402
from tests.ledger.output import unprinted  # noqa: E402
from tests.ledger.stage import STRICT  # noqa: E402
from tests.ledger.vendors import CORE  # noqa: E402

SERVICE: Final = "ledger-load"

_WAIT: Final = 60.0  # seconds


@click.command()
@click.option("--otlp", required=True, help="Base URL of an OTLP receiver (http/protobuf).")
@click.option("--calls", default=200, show_default=True, help="Model calls, at least.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same load.")
@click.option("--report", required=True, help="The file to write.")
def run(otlp: str, calls: int, seed: int, report: str) -> None:
    """Play the load, send its telemetry, write the report."""
    logging.disable(logging.CRITICAL)  # LiteLLM's complaints about two event loops, and about failures
    models = [model for vendor in CORE for model in vendor.models]
    todo = tasks(calls, seed, CORE)
    with rates.registered(*models, f"openai/{STRICT}"), staged(CORE) as stage, unprinted():
        litespan.configure(service_name=SERVICE, otlp_endpoint=otlp, metric_interval=1)
        spans = copy_of_spans()
        faults = play(todo, stage)
        settle()
        book = ledger.write(todo, stage).by_model
    delivered = litespan.flush(_WAIT)
    document = {
        "faults": faults,
        "delivered": delivered,
        "stats": litespan.stats(),
        "models": _models(book),
        "spans": _spans(spans.get_finished_spans()),
    }
    with open(report, "w", encoding="utf-8") as file:
        json.dump(document, file)
    litespan.shutdown(_WAIT)


def _models(book: Book) -> Mapping[str, Any]:
    return {model: _figures(figures) for model, figures in book.items()}


def _figures(figures: Figures) -> Mapping[str, Any]:
    return {
        "tokens": figures.tokens,
        "usd": float(figures.usd),
        "outcomes": figures.outcomes,
        "missing": figures.missing,
    }


def _spans(spans: Iterable[ReadableSpan]) -> list[Mapping[str, Any]]:
    return [
        {
            "trace": f"{span.context.trace_id:032x}",
            "id": f"{span.context.span_id:016x}",
            "parent": None if span.parent is None else f"{span.parent.span_id:016x}",
            "name": span.name,
            "kind": span.kind.name.lower(),
            "attributes": dict(span.attributes or {}),
        }
        for span in spans
    ]


if __name__ == "__main__":
    run()
