"""The other instrumentations: how a program switches each of them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

FIRST, LAST, ALONE = "other first", "litespan first", "neither"
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
    """One other instrumentation.

    ``packages`` is the set that it is installed with. ``quiet_when``: the orders in which it tells nothing
    that litespan tells. ``late``: it tells calls in the background. ``embeds``: it lets LiteLLM embed.
    """

    packages: str
    activate: Callable[[], Any]
    set_up: Callable[[SpanProcessor, MetricReader], None] = _sdk_providers
    quiet_when: frozenset[str] = frozenset()
    removes_processor: bool = False
    late: bool = False
    embeds: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)


def _instrumentor(module: str, name: str) -> Callable[[], Any]:
    """Return what instruments with a class of OpenTelemetry's kind; each is installed in its set only."""
    return lambda: getattr(import_module(module), name)().instrument()


def _logfire(method: str) -> Callable[[], Any]:
    def activate() -> None:
        getattr(import_module("logfire"), method)()

    return activate


def _openlit() -> None:
    prices = Path("no-prices.json")
    prices.write_text("{}", encoding="utf-8")  # by default it fetches them from the network
    http = ["aiohttp-client", "httpx", "requests", "urllib", "urllib3"]
    import_module("openlit").init(pricing_json=str(prices), disable_events=True, disabled_instrumentors=http)


def _litellm_callback() -> None:
    import_module("litellm").callbacks = ["otel"]


_OPENINFERENCE: Final = "openinference.instrumentation"
_OTEL: Final = "opentelemetry.instrumentation"
_NEW_CONVENTIONS: Final = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
_OPENAI_V2: Final = _instrumentor(f"{_OTEL}.openai_v2", "OpenAIInstrumentor")

OTHERS: Final[Mapping[str, Other]] = {
    "official openai": Other(
        "official", _instrumentor(f"{_OTEL}.genai.openai", "OpenAIInstrumentor"), quiet_when=BOTH
    ),
    "official openai-agents": Other(
        "official", _instrumentor(f"{_OTEL}.genai.openai_agents", "OpenAIAgentsInstrumentor")
    ),
    "official openai-v2": Other("official-old", _OPENAI_V2, embeds=False),
    "official openai-v2, new conventions": Other(
        "official-old", _OPENAI_V2, embeds=False, variables=_NEW_CONVENTIONS
    ),
    "official openai-agents-v2": Other(
        "official-old", _instrumentor(f"{_OTEL}.openai_agents", "OpenAIAgentsInstrumentor")
    ),
    "openinference litellm": Other(
        "openinference", _instrumentor(f"{_OPENINFERENCE}.litellm", "LiteLLMInstrumentor")
    ),
    "openinference openai": Other(
        "openinference", _instrumentor(f"{_OPENINFERENCE}.openai", "OpenAIInstrumentor")
    ),
    "openinference openai-agents": Other(
        "openinference",
        _instrumentor(f"{_OPENINFERENCE}.openai_agents", "OpenAIAgentsInstrumentor"),
        removes_processor=True,
    ),
    "traceloop litellm": Other(
        "traceloop", _instrumentor(f"{_OTEL}.litellm", "LiteLLMInstrumentor"), quiet_when=frozenset({FIRST})
    ),
    "traceloop openai": Other(
        "traceloop", _instrumentor(f"{_OTEL}.openai", "OpenAIInstrumentor"), quiet_when=BOTH
    ),
    "traceloop openai-agents": Other(
        "traceloop", _instrumentor(f"{_OTEL}.openai_agents", "OpenAIAgentsInstrumentor")
    ),
    "logfire openai": Other("logfire", _logfire("instrument_openai"), _logfire_providers),
    "logfire openai-agents": Other("logfire", _logfire("instrument_openai_agents"), _logfire_providers),
    "logfire litellm": Other("logfire", _logfire("instrument_litellm"), _logfire_providers),
    "openlit": Other("openlit", _openlit, removes_processor=True),
    "litellm otel": Other("official", _litellm_callback, late=True),
}
