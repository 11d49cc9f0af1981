"""Other instrumentations of the same calls: how each is recognized, what it doubles, what stops it. Pure.

Tried with the releases in `tests/interop/requirements`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from enum import Enum
from typing import Any, Final, NamedTuple

_MAX_LAYERS: Final = 50


class Place(Enum):
    """Where code of another instrumentation was seen."""

    OUTSIDE = "around litespan's wrapper of a LiteLLM function"
    INSIDE = "inside litespan's wrapper of a LiteLLM function"
    CLIENT = "around a method of the openai package, which LiteLLM calls"
    PROCESSOR = "among the Agents SDK's trace processors"
    PROVIDER = "as the Agents SDK's trace provider"
    CALLBACK = "among LiteLLM's callbacks"


class Sight(NamedTuple):
    """A place, and the module of the code that was seen there."""

    place: Place
    module: str


class Other(NamedTuple):
    """One other instrumentation that litespan cannot keep still.

    ``modules`` are the beginnings of its modules' names, ``doubles`` what is there twice, and ``remedy`` what
    a program does to have it once. ``keeps_still``: it follows the conventions' protocol where the installed
    opentelemetry-util-genai has it.
    """

    name: str
    places: Collection[Place]
    modules: tuple[str, ...]
    doubles: str
    remedy: str
    keeps_still: bool = False

    def seen_in(self, sights: Iterable[Sight]) -> bool:
        """Say whether one of the sights is this instrumentation."""
        return any(s.place in self.places and _is_in(s.module, self.modules) for s in sights)

    def message(self) -> str:
        """Return the line for the log."""
        return f"{self.name} is switched on besides litespan: {self.doubles}. To stop it: {self.remedy}."


_LITELLM: Final = (Place.OUTSIDE, Place.INSIDE)
_CALLS: Final = "every model call has two spans"
_CALLS_AND_METRICS: Final = "every model call has two spans and is counted twice in metrics"
_RUNS: Final = "agents, tools and model calls have two spans each"

OTHERS: Final = (
    Other(
        "openinference-instrumentation-litellm",
        _LITELLM,
        ("openinference.instrumentation.litellm",),
        _CALLS,
        "leave out LiteLLMInstrumentor().instrument(), or logfire.instrument_litellm(), which calls it",
    ),
    Other(
        "openinference-instrumentation-openai",
        (Place.CLIENT,),
        ("openinference.instrumentation.openai",),
        _CALLS,
        "leave out OpenAIInstrumentor().instrument()",
    ),
    Other(
        "openinference-instrumentation-openai-agents",
        (Place.PROCESSOR,),
        ("openinference.instrumentation.openai_agents",),
        _RUNS,
        "leave out OpenAIAgentsInstrumentor().instrument()",
    ),
    Other(
        "opentelemetry-instrumentation-litellm",
        # Inside it keeps still while a call of litespan's is open.
        (Place.OUTSIDE,),
        ("opentelemetry.instrumentation.litellm",),
        _CALLS_AND_METRICS,
        "call LiteLLMInstrumentor().instrument() before litespan.instrument(), or leave it out",
    ),
    Other(
        "opentelemetry-instrumentation-openai-agents",
        (Place.PROCESSOR,),
        ("opentelemetry.instrumentation.openai_agents._hooks",),
        _RUNS,
        "leave out OpenAIAgentsInstrumentor().instrument()",
    ),
    Other(
        "opentelemetry-instrumentation-openai-agents-v2",
        (Place.PROCESSOR,),
        ("opentelemetry.instrumentation.openai_agents.span_processor",),
        f"{_RUNS}, and model calls are counted twice in metrics",
        "leave out OpenAIAgentsInstrumentor().instrument()",
    ),
    Other(
        "opentelemetry-instrumentation-genai-openai-agents",
        (Place.PROCESSOR,),
        ("opentelemetry.instrumentation.genai.openai_agents",),
        "runs, agents and tools have two spans each and are counted twice in metrics; model calls are not",
        "leave out OpenAIAgentsInstrumentor().instrument()",
    ),
    Other(
        "opentelemetry-instrumentation-genai-openai",
        (Place.CLIENT,),
        ("opentelemetry.instrumentation.genai.openai",),
        _CALLS_AND_METRICS,
        "install opentelemetry-util-genai 1.2b0 or newer, or leave out OpenAIInstrumentor().instrument()",
        keeps_still=True,
    ),
    Other(
        "opentelemetry-instrumentation-openai-v2",
        (Place.CLIENT,),
        ("opentelemetry.instrumentation.openai_v2",),
        _CALLS_AND_METRICS,
        "leave out OpenAIInstrumentor().instrument(), or use its successor "
        "opentelemetry-instrumentation-genai-openai",
    ),
    Other(
        "logfire.instrument_openai()",
        (Place.CLIENT,),
        ("logfire._internal.integrations.llm_providers",),
        _CALLS,
        "leave out logfire.instrument_openai()",
    ),
    Other(
        "logfire.instrument_openai_agents()",
        (Place.PROVIDER,),
        ("logfire._internal.integrations.openai_agents",),
        _RUNS,
        "leave out logfire.instrument_openai_agents()",
    ),
    Other(
        "openlit",
        (*_LITELLM, Place.CLIENT, Place.PROCESSOR),
        ("openlit",),
        f"{_RUNS}, and model calls are counted twice in metrics",
        'openlit.init(disabled_instrumentors=["litellm", "openai", "openai-agents"])',
    ),
    Other(
        'LiteLLM\'s own callback "otel"',
        (Place.CALLBACK,),
        ("otel", "litellm.integrations.opentelemetry"),
        "every model call has a second span, and late writes to ended spans are logged",
        'litellm.callbacks.remove("otel")',
    ),
)


def recognize(sights: Collection[Sight], *, protocol_known: bool) -> Iterator[Other]:
    """Return who doubles what litespan tells."""
    for other in OTHERS:
        if not (other.keeps_still and protocol_known) and other.seen_in(sights):
            yield other


def layers(function: Any) -> Iterator[str]:
    """Return the modules of a function and of what is wrapped around it, from the outermost one inwards."""
    for _ in range(_MAX_LAYERS):
        if function is None:
            return
        yield _home(getattr(function, "_self_wrapper", function))
        function = getattr(function, "__wrapped__", None)


def _home(function: Any) -> str:
    """Return the module where a function was written; `functools.wraps` hides it behind the wrapped one's."""
    scope = getattr(getattr(function, "__func__", function), "__globals__", None)
    return str(scope.get("__name__")) if isinstance(scope, dict) else type(function).__module__


def _is_in(module: str, beginnings: tuple[str, ...]) -> bool:
    return any(module == start or module.startswith(f"{start}.") for start in beginnings)
