"""Spans that are started step by step are those that the public API of OpenTelemetry would have started."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import Any

import pytest
import wrapt
from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    StaticSampler,
)
from opentelemetry.trace import (
    NonRecordingSpan,
    NoOpTracerProvider,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    TraceState,
)

from litespan.export import tried
from litespan.export.span_start import Start, starter
from tests.unit.export.sdk import tried_version


class Ids(IdGenerator):
    """Ids in their order; ``random`` says that trace ids are of chance."""

    def __init__(self, *, random: bool) -> None:
        self._last, self._random = 0, random

    def generate_span_id(self) -> int:
        """Return a span id."""
        self._last += 1
        return self._last

    def generate_trace_id(self) -> int:
        """Return a trace id."""
        self._last += 1
        return self._last

    def is_trace_id_random(self) -> bool:
        """Say whether they are of chance."""
        return self._random


class Telling(Sampler):
    """A sampler that notes what it is asked, and adds what it likes."""

    def __init__(self, decision: Decision, added: Mapping[Any, Any]) -> None:
        self.asked: list[Any] = []
        self._decision, self._added = decision, added

    def should_sample(  # noqa: PLR0913, PLR0917 - OpenTelemetry's
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Sequence[Any] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide as told."""
        above = trace.get_current_span(parent_context).get_span_context()
        self.asked.append((above, trace_id, name, kind, dict(attributes), links, trace_state))
        return SamplingResult(self._decision, {**attributes, **self._added}, TraceState([("a", "b")]))

    def get_description(self) -> str:
        """Return a name."""
        return "Telling"


class Own(StaticSampler):
    """A sampler of the program's own, made from the SDK's."""

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        """Decide as the SDK's does, and add something."""
        result = super().should_sample(*args, **kwargs)
        added: Any = {**result.attributes, "own": 1}
        return SamplingResult(result.decision, added, result.trace_state)


class Delegate:
    """A sampler that only hands on what it is asked for, as some of the program's wrappers do."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def __getattr__(self, name: str) -> Any:
        """Hand on."""
        return getattr(self._sampler, name)


class Entries(Mapping[str, Any]):
    """Attributes of a kind that cannot be copied as a dictionary can."""

    def __init__(self, held: Mapping[str, Any]) -> None:
        self._held = held

    def __getitem__(self, name: str) -> Any:
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def standing_in() -> Any:
    """Return what stands for one of the SDK's samplers."""
    return wrapt.ObjectProxy(ALWAYS_ON)


def handing_on() -> Any:
    """Return what hands on to one of the SDK's samplers."""
    return Delegate(ALWAYS_ON)


def saying(attributes: Callable[[Any], Any], sampler: Sampler | None = None) -> Any:
    """Return one of the SDK's samplers with a function of its own in it, which says these attributes."""
    changed: Any = StaticSampler(Decision.RECORD_AND_SAMPLE) if sampler is None else sampler
    before = changed.should_sample

    def should_sample(*args: Any, **kwargs: Any) -> SamplingResult:
        result: SamplingResult = before(*args, **kwargs)
        result.attributes = attributes(result.attributes)
        return result

    changed.should_sample = should_sample
    return changed


class Watching(SpanProcessor):
    """A processor that notes what a span has when it starts."""

    def __init__(self) -> None:
        self.started: list[Any] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note the span."""
        assert isinstance(span, ReadableSpan)
        above = trace.get_current_span(parent_context).get_span_context()
        self.started.append((dict(span.attributes or {}), above))


def remote(flags: int) -> Context:
    """Return a context with a span of another process."""
    span = NonRecordingSpan(SpanContext(77, 78, is_remote=True, trace_flags=TraceFlags(flags)))
    return trace.set_span_in_context(span, Context())


SAMPLERS: Mapping[str, Callable[[], Any]] = {
    "on": lambda: ALWAYS_ON,
    "off": lambda: ALWAYS_OFF,
    "by parent": lambda: DEFAULT_ON,
    "adds": lambda: Telling(Decision.RECORD_AND_SAMPLE, {"added": 1}),
    "adds what is no text": lambda: Telling(Decision.RECORD_AND_SAMPLE, {1: "x", "": "y", "list": ["z"]}),
    "by parent, told apart": lambda: ParentBased(
        Telling(Decision.RECORD_AND_SAMPLE, {"root": 1}),
        remote_parent_sampled=Telling(Decision.RECORD_AND_SAMPLE, {"remote": 1}),
        remote_parent_not_sampled=ALWAYS_OFF,
        local_parent_sampled=ALWAYS_ON,
        local_parent_not_sampled=StaticSampler(Decision.RECORD_ONLY),
    ),
    "on, by a class of the program's own": lambda: Own(Decision.RECORD_AND_SAMPLE),
    "on, by something that stands for it": standing_in,
    "on, by what hands on": handing_on,
    "by parent, with what stands for others": lambda: ParentBased(
        standing_in(), local_parent_sampled=handing_on()
    ),
    "on, with a function of its own": lambda: saying(lambda given: {**given, "own": 1}),
    "by parent, with a function of its own": lambda: saying(
        lambda given: {**given, "own": 1}, ParentBased(ALWAYS_ON)
    ),
    "says attributes of another kind": lambda: saying(lambda given: Entries({**given, "own": 1})),
    "says a view of others": lambda: saying(lambda given: MappingProxyType(Entries({**given, "own": 1}))),
    "says no attributes": lambda: saying(lambda _: None),
    "records only": lambda: Telling(Decision.RECORD_ONLY, {}),
}
PARENTS = {"none": None, "empty": Context(), "sampled": remote(1), "dropped": remote(0), "random": remote(3)}
GIVEN: Mapping[str, Mapping[str, Any]] = {
    "plain": {"a": "x", "b": 1, "c": ("y", "z"), "d": None},
    "to be cleaned": {"a": ["x"], "b": {"c": 1}, "long": "0123456789"},
    "to be cleaned inside": {"a": ("x", ["y"]), "b": (1, object)},
    "nothing": {},
}
LIMITS = {
    "usual": SpanLimits(),
    "few": SpanLimits(max_span_attributes=2),
    "short": SpanLimits(max_span_attribute_length=3),
}


def publicly(tracer: trace.Tracer) -> Start:
    """Return what calls the public API."""
    return lambda name, context, _, kind, attributes, start_ns: tracer.start_span(
        name, context, kind, attributes, (), start_ns, record_exception=False, set_status_on_exception=False
    )


def facts(span: Span) -> dict[str, Any]:
    """Return all that a span has, but its locks."""
    if not isinstance(span, ReadableSpan):
        return {"type": type(span), "context": span.get_span_context()}
    held = vars(span)
    attributes = held["_attributes"]
    late: Any = span  # litespan makes these when they are asked for
    lists = (late._events, late._links)
    assert late._lock is not attributes._lock
    own = ("_span_processor", "_sampler", "_lock", "_attributes", "_events", "_links", "_resource", "_status")
    return {
        "type": isinstance(span, sdk._Span),
        "fields": sorted(held),
        "limits of attributes": (attributes.maxlen, attributes.max_value_len, sorted(vars(attributes))),
        "limits of lists": [(one._dq.maxlen, sorted(vars(one))) for one in lists],
        "attributes": (attributes._dict, attributes.dropped, attributes.maxlen, attributes._immutable),
        "processors": type(held["_span_processor"]),
        "sampler": type(held["_sampler"]),
        "status": (span.status.status_code, span.status.description),
        "resource": span.resource.attributes,
        "lists": (list(span.events), list(span.links), span.dropped_events),
        **{name: value for name, value in held.items() if name not in own},
    }


@tried_version
@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_as_by_the_public_api(sampler: str, given: str) -> None:
    """Spans, what samplers are asked, and what processors see at the start are the same."""
    for parent, limits, random, known in product(PARENTS, LIMITS, (False, True), (False, True)):
        by_sdk, ours = (
            started(
                way,
                SAMPLERS[sampler](),
                LIMITS[limits],
                Ids(random=random),
                PARENTS[parent],
                GIVEN[given],
                known=known,
            )
            for way in (publicly, starter)
        )
        assert by_sdk == ours, (parent, limits, random, known)


def started(  # noqa: PLR0913, PLR0917 - one of each
    way: Callable[[trace.Tracer], Start],
    sampler: Sampler,
    limits: SpanLimits,
    ids: Ids,
    parent: Context | None,
    given: Mapping[str, Any],
    *,
    known: bool,
) -> list[Any]:
    """Start a span and one below it, whose parent is ``known`` or looked for; return what all saw of them."""
    watching = Watching()
    resource = Resource({"service.name": "test"})
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False, span_limits=limits, id_generator=ids)
    provider.add_span_processor(watching)
    start = way(provider.get_tracer("litespan", "1"))
    span = start("chat", parent, None, SpanKind.CLIENT, given, 123)
    above = span.get_span_context() if known else None
    child = start("inner", trace.set_span_in_context(span), above, SpanKind.INTERNAL, {}, 124)
    return [facts(span), facts(child), getattr(sampler, "asked", None), watching.started]


@tried_version
def test_plain_attributes_are_not_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own way is not taken where there is nothing to clean."""
    seen: list[Mapping[str, Any]] = []
    start = starter(TracerProvider(shutdown_on_exit=False).get_tracer("test"))
    monkeypatch.setattr(BoundedAttributes, "_set_items", lambda _, attributes: seen.append(dict(attributes)))
    start("s", None, None, SpanKind.CLIENT, GIVEN["plain"], 1)
    start("s", None, None, SpanKind.CLIENT, GIVEN["to be cleaned"], 1)

    assert [GIVEN["to be cleaned"]] == seen


def test_a_tracer_that_is_switched_off() -> None:
    """A tracer that is off starts nothing, and what is below continues the span above."""
    provider = TracerProvider(shutdown_on_exit=False)
    tracer = provider.get_tracer("test")
    assert isinstance(tracer, sdk.Tracer)
    if not hasattr(tracer, "_set_tracer_config"):
        pytest.skip("this version of the SDK cannot switch tracers off")
    tracer._set_tracer_config(sdk._TracerConfig(is_enabled=False))
    span = starter(tracer)("s", remote(1), None, SpanKind.CLIENT, {}, 1)

    assert not span.is_recording()
    assert 78 == span.get_span_context().span_id


def test_others_are_asked_in_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracers that are not the SDK's, replaced methods and other versions go by the public API."""
    start = starter(NoOpTracerProvider().get_tracer("test"))
    assert not start("s", None, None, SpanKind.CLIENT, {}, 1).is_recording()
    called: list[str] = []
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with monkeypatch.context() as patch:
        patch.setattr(sdk.Tracer, "start_span", lambda _, name, *__, **___: called.append(name))
        starter(tracer)("replaced", None, None, SpanKind.CLIENT, {}, 1)
        patch.undo()
        patch.setattr(tried, "sdk_version", "0")
        start = starter(tracer)
        patch.setattr(sdk.Tracer, "start_span", lambda _, name, *__, **___: called.append(name))
        start("other version", None, None, SpanKind.CLIENT, {}, 1)

    assert ["replaced", "other version"] == called
