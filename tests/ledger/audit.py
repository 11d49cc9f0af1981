"""Play a load with litespan on, and hold what litespan says against the provider's ledger."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import litellm
from litellm.caching.caching import Cache, CacheMode
from litellm.types.caching import LiteLLMCacheType
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import litespan
from litespan import _api
from litespan.export import pipeline as pipelines
from litespan.settings import load_settings
from litespan.testing import Provider
from tests.ledger import ledger as ledgers
from tests.ledger import observed, rates
from tests.ledger.figures import Book
from tests.ledger.ledger import Ledger
from tests.ledger.load import Task, play, tasks
from tests.ledger.plain import RELAY, Relay
from tests.ledger.stage import STRICT, Stage
from tests.ledger.vendors import VENDORS, Vendor

_WAIT = 60.0  # seconds


@dataclass(slots=True)
class Audit:
    """A load that was played, the provider's ledger, and litespan's figures from all places."""

    tasks: Sequence[Task]
    ledger: Ledger
    faults: dict[str, str]
    metrics: Book
    spans: Book
    spans_by_job: Book
    file: Book
    file_by_job: Book
    attempts: dict[str, int]
    odds: dict[str, float]
    seconds: float


def audit(calls: int, seed: int, folder: str, vendors: tuple[Vendor, ...] = VENDORS) -> Audit:
    """Play a load of at least so many calls; the file of traces is written into the folder."""
    models = [model for vendor in vendors for model in vendor.models]
    todo = tasks(calls, seed, vendors)
    path = os.path.join(folder, "traces.jsonl")
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    with rates.registered(*models, f"openai/{STRICT}"), staged(vendors) as stage:
        with _litespan(path, exporter, reader):
            began = time.monotonic()
            faults = play(todo, stage)
            settle()
            seconds = time.monotonic() - began
            metrics = observed.of_points(observed.points(reader), observed.BY_MODEL)
            odds = _odds(reader)
        spans = exporter.get_finished_spans()
        summary = observed.summary_of(path, "model", "user")
        ledger = ledgers.write(todo, stage)
        odds["spans of no calls in the file"] = summary["unsent"]
        return Audit(
            todo,
            ledger,
            faults,
            metrics,
            observed.of_spans(spans, observed.BY_MODEL),
            observed.of_spans(spans, observed.BY_JOB),
            observed.of_summary(summary, "model"),
            observed.of_summary(summary, "user"),
            observed.attempts(spans),
            odds,
            seconds,
        )


def _odds(reader: InMemoryMetricReader) -> dict[str, float]:
    """Return what must be 0 when all is told: calls without a price or still open, spans and records lost."""
    names = (
        "litespan.calls.unpriced",
        "litespan.calls.active",
        "litespan.dropped",
        "litespan.internal_errors",
    )
    found = dict.fromkeys(names, 0.0)
    for name, _, value in observed.points(reader):
        if name in found:
            found[name] += value
    return {**found, "records open": litespan.stats()["records_open"]}


@contextmanager
def staged(vendors: tuple[Vendor, ...]) -> Iterator[Stage]:
    """Start the provider; give LiteLLM a cache for calls that ask for it, and the program's own provider."""
    before = (litellm.cache, litellm.custom_provider_map)
    cache = Cache(type=LiteLLMCacheType.LOCAL, mode=CacheMode.default_off)
    litellm.cache = cache
    litellm.custom_provider_map = [*before[1], {"provider": RELAY, "custom_handler": Relay()}]
    # LiteLLM closes the clients that fall out of its cache, also those that somebody is reading from.
    clients = litellm.in_memory_llm_clients_cache
    limits = (clients.max_size_in_memory, clients.default_ttl)
    clients.max_size_in_memory, clients.default_ttl = 10**6, 10**6
    gc.freeze()  # what is imported never becomes garbage; collections are then quick
    try:
        with (
            ExitStack() as open_,
            Provider(wires=[vendor.wire() for vendor in vendors], remember_payloads=False) as provider,
        ):
            keys = {vendor.name: open_.enter_context(vendor.signed_in()) for vendor in vendors}
            stage = Stage(provider, cache, keys)
            stage.warm_up(vendors)
            yield stage
    finally:
        gc.unfreeze()
        clients.max_size_in_memory, clients.default_ttl = limits
        litellm.cache, litellm.custom_provider_map = before


@contextmanager
def _litespan(path: str, exporter: InMemorySpanExporter, reader: InMemoryMetricReader) -> Iterator[None]:
    """Set litespan up as `configure` does, with its own file of traces, and metrics and spans in memory."""
    settings = load_settings({}, traces_exporter="litespan_file", traces_file=path)
    pipeline = pipelines.build(
        settings, meter_provider=MeterProvider([reader], shutdown_on_exit=False), use_globals=False
    )
    assert isinstance(pipeline.tracer_provider, TracerProvider)
    pipeline.tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    _api.install(settings, pipeline)
    try:
        yield
    finally:
        litespan.shutdown(_WAIT)


def settle() -> None:
    """Wait until every record has ended. Requests that hang stay open at the provider."""
    deadline = time.monotonic() + _WAIT
    while litespan.stats()["records_open"] and time.monotonic() < deadline:
        gc.collect()
        litespan.flush(1.0)
    litespan.flush(_WAIT)
