"""The other instrumentations: how a program switches each of them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

FIRST, LAST, WITHOUT, ALONE = "other first", "litespan first", "without litespan", "neither"
BOTH: Final = frozenset({FIRST, LAST})


def _sdk_providers(spans: SpanProcessor, measurements: MetricReader) -> None:
    tracers = TracerProvider()
    tracers.add_span_processor(spans)
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(MeterProvider([measurements]))


def _logfire_providers(spans: SpanProcessor, measurements: MetricReader) -> None:
    logfire = import_module("logfire")
    logfire.configure(
        send_to_logfire=False,
        console=False,
        inspect_arguments=False,
        additional_span_processors=[spans],
        metrics=logfire.MetricsOptions(additional_readers=[measurements]),
    )


@dataclass(frozen=True)
class Other:
    """One other instrumentation, and what it does in the program of these tests.

    Args:
        row: its name in the table of docs/other-instrumentations.md.
        packages: the set that it is installed with.
        activate: switches it on.
        set_up: makes OpenTelemetry's providers.
        spans: the spans that it writes, where it is not quiet.
        counted: its measurements of durations that litespan measures too.
        quiet_when: the orders in which it tells nothing that litespan tells.
        inside_when: the orders in which its spans are children of litespan's spans of calls.
        apart: its spans are in traces of their own, where litespan has its tree.
        joins_traces: it leaves its context behind, so that later runs get into the first one's trace.
        removes_processor: switched on later, it removes litespan's trace processor.
        late: it tells calls in the background, and writes to litespan's spans that have ended.
        embeds: it lets LiteLLM embed.
        variables: environment variables of the program.
    """

    row: str
    packages: str
    activate: Callable[[], Any]
    set_up: Callable[[SpanProcessor, MetricReader], None] = _sdk_providers
    spans: int = 0
    counted: int = 0
    quiet_when: frozenset[str] = frozenset()
    inside_when: frozenset[str] = frozenset()
    apart: bool = False
    joins_traces: bool = False
    removes_processor: bool = False
    late: bool = False
    embeds: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)


def _instrumentor(module: str, name: str, **options: Any) -> Callable[[], Any]:
    """Return what instruments with a class of OpenTelemetry's kind; each is installed in its set only."""
    return lambda: getattr(import_module(module), name)().instrument(**options)


def _logfire(method: str) -> Callable[[], Any]:
    def activate() -> None:
        getattr(import_module("logfire"), method)()

    return activate


def _openlit(*disabled: str) -> Callable[[], None]:
    http = ["aiohttp-client", "httpx", "requests", "urllib", "urllib3"]

    def activate() -> None:
        prices = Path("no-prices.json")
        prices.write_text("{}", encoding="utf-8")  # by default it fetches them from the network
        import_module("openlit").init(
            pricing_json=str(prices), disable_events=True, disabled_instrumentors=[*http, *disabled]
        )

    return activate


def _litellm_callback() -> None:
    litellm: Any = import_module("litellm")
    litellm.callbacks = ["otel"]


_OPENINFERENCE: Final = "openinference.instrumentation"
_OTEL: Final = "opentelemetry.instrumentation"
_NEW_CONVENTIONS: Final = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
_CALLS, _AGENTS, _LITELLM = "OpenAIInstrumentor", "OpenAIAgentsInstrumentor", "LiteLLMInstrumentor"
_OPENAI_V2: Final = Other(
    "opentelemetry-instrumentation-openai-v2",
    "official-old",
    _instrumentor(f"{_OTEL}.openai_v2", _CALLS),
    spans=5,
    counted=5,
    inside_when=BOTH,
    embeds=False,
)

OTHERS: Final[Mapping[str, Other]] = {
    "official openai": Other(
        "opentelemetry-instrumentation-genai-openai",
        "official",
        _instrumentor(f"{_OTEL}.genai.openai", _CALLS),
        quiet_when=BOTH,
    ),
    "official openai-agents": Other(
        "opentelemetry-instrumentation-genai-openai-agents",
        "official",
        _instrumentor(f"{_OTEL}.genai.openai_agents", _AGENTS),
        spans=6,
        counted=6,
    ),
    "official openai-v2": _OPENAI_V2,
    "official openai-v2, new conventions": replace(_OPENAI_V2, variables=_NEW_CONVENTIONS),
    "official openai-agents-v2": Other(
        "opentelemetry-instrumentation-openai-agents-v2",
        "official-old",
        _instrumentor(f"{_OTEL}.openai_agents", _AGENTS),
        spans=16,
        counted=14,
        apart=True,
    ),
    "openinference litellm": Other(
        "openinference-instrumentation-litellm",
        "openinference",
        _instrumentor(f"{_OPENINFERENCE}.litellm", _LITELLM),
        spans=6,
        inside_when=frozenset({FIRST}),
    ),
    "openinference openai": Other(
        "openinference-instrumentation-openai",
        "openinference",
        _instrumentor(f"{_OPENINFERENCE}.openai", _CALLS),
        spans=6,
        inside_when=BOTH,
    ),
    "openinference openai-agents": Other(
        "openinference-instrumentation-openai-agents",
        "openinference",
        _instrumentor(f"{_OPENINFERENCE}.openai_agents", _AGENTS),
        spans=16,
        apart=True,
        removes_processor=True,
    ),
    "openinference openai-agents, not exclusive": Other(
        "openinference-instrumentation-openai-agents",
        "openinference",
        _instrumentor(f"{_OPENINFERENCE}.openai_agents", _AGENTS, exclusive_processor=False),
        spans=16,
        apart=True,
    ),
    "traceloop litellm": Other(
        "opentelemetry-instrumentation-litellm",
        "traceloop",
        _instrumentor(f"{_OTEL}.litellm", _LITELLM),
        spans=6,
        counted=6,
        quiet_when=frozenset({FIRST}),
    ),
    "traceloop openai": Other(
        "opentelemetry-instrumentation-openai",
        "traceloop",
        _instrumentor(f"{_OTEL}.openai", _CALLS),
        quiet_when=BOTH,
    ),
    "traceloop openai-agents": Other(
        "opentelemetry-instrumentation-openai-agents",
        "traceloop",
        _instrumentor(f"{_OTEL}.openai_agents", _AGENTS),
        spans=10,
        joins_traces=True,
    ),
    "logfire openai": Other(
        "logfire.instrument_openai()",
        "logfire",
        _logfire("instrument_openai"),
        _logfire_providers,
        spans=8,
        inside_when=BOTH,
    ),
    "logfire openai-agents": Other(
        "logfire.instrument_openai_agents()",
        "logfire",
        _logfire("instrument_openai_agents"),
        _logfire_providers,
        spans=16,
    ),
    "logfire litellm": Other(
        "logfire.instrument_litellm()",
        "logfire",
        _logfire("instrument_litellm"),
        _logfire_providers,
        spans=6,
        inside_when=frozenset({FIRST}),
    ),
    "openlit": Other("openlit", "openlit", _openlit(), spans=20, counted=19, removes_processor=True),
    "openlit, as advised": Other(
        "openlit", "openlit", _openlit("litellm", "openai", "openai-agents"), quiet_when=BOTH
    ),
    "litellm otel": Other(
        'litellm.callbacks = ["otel"]',
        "official",
        _litellm_callback,
        spans=6,
        inside_when=BOTH,
        late=True,
    ),
}
