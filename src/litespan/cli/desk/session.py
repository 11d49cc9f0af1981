"""One showing of the demo: set litespan up as a program would, run the desk, and keep what was seen."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import litespan
from litespan.cli import interrupts, quiet
from litespan.cli.desk.comparison import Comparison, compare
from litespan.cli.desk.plan import Plan
from litespan.cli.figures import traces
from litespan.cli.real_model import check_model
from litespan.export.tree_view import SpanRow
from litespan.setting_checks import ConfigurationError
from litespan.testing import Provider

SERVICE: Final = "litespan-demo"

_LOOPBACK: Final = "127.0.0.1"
_FLUSH_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True)
class Observation:
    """What was seen.

    Attributes:
        plan: what was asked for.
        traces: the captured spans by trace id, in the order in which the runs began.
        comparison: the fake provider's memory beside the spans; None with a real model.
        delivered: whether everything reached the files or the receiver.
        export: the counts of :func:`litespan.stats` for ``traces`` and ``metrics``.
    """

    plan: Plan
    traces: Mapping[str, Sequence[SpanRow]]
    comparison: Comparison | None
    delivered: bool
    export: Mapping[str, Mapping[str, Any]]


def observe(plan: Plan, say: Say) -> Observation:
    """Run the demo; ``say`` is told what goes on.

    Raises:
        ConfigurationError: if a setting is wrong, or a file cannot be written.
        ModelError: if the real model cannot be asked; nothing has been sent then.
    """
    quiet.prepare_environment()
    say("Importing LiteLLM and the Agents SDK (this takes most of the time)")
    if plan.model is not None:
        check_model(plan.model)
    spans = _configure(plan)
    comparison = _run(plan, spans, say)
    say("Delivering spans and metrics")
    delivered = litespan.flush(_FLUSH_SECONDS)
    export = litespan.stats()["export"]
    litespan.shutdown(_STOP_SECONDS)
    return Observation(plan, traces(spans.get_finished_spans()), comparison, delivered, export)


def _configure(plan: Plan) -> InMemorySpanExporter:
    """Set litespan up, and keep a copy of every span."""
    litespan.configure(service_name=SERVICE, **plan.settings)
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        raise ConfigurationError("The tracer provider of this process keeps no spans.")
    spans = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return spans


def _run(plan: Plan, spans: InMemorySpanExporter, say: Say) -> Comparison | None:
    fake: AbstractContextManager[Provider | None] = nullcontext() if plan.model else Provider()
    with fake as provider:
        _work(plan, provider, say)
    if provider is None:
        return None
    return compare(provider, itertools.chain.from_iterable(traces(spans.get_finished_spans()).values()))


def _work(plan: Plan, provider: Provider | None, say: Say) -> None:
    """Answer the tickets, with the fake provider if there is one."""
    quiet.import_litellm()
    with interrupts.heeded():
        # These import the Agents SDK, which is slow and reads the environment.
        from litespan.cli.desk.script import Script
        from litespan.cli.desk.shift import work
        from litespan.cli.desk.team import MODELS, build_team

    if provider is not None:
        quiet.bypass_proxy(_LOOPBACK)
        provider.respond = Script()
        models = {
            agent: litespan.LitellmModel(name, base_url=provider.base_url, api_key="none")
            for agent, name in MODELS.items()
        }
    else:
        models = dict.fromkeys(MODELS, litespan.LitellmModel(plan.model))
    asyncio.run(work(build_team(models), plan.tickets, _counted(len(plan.tickets), say)))


def _counted(total: int, say: Say) -> Callable[[], None]:
    """Return what is to be called after each run, and say how many are done."""
    done = itertools.count()

    def tell() -> None:
        say(f"Running: {next(done)} of {total} runs done")

    tell()
    return tell
