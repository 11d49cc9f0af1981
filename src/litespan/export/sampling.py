"""What a tracer provider's sampler decides, where it can be told without being asked."""
# ruff: noqa: SLF001

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import sampling
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import SpanContext, SpanKind, TracerProvider, TraceState

_OFF: Final = sampling.ALWAYS_OFF.get_description()
# What the SDK's own samplers are asked by; a sampler of the program's own has another one.
_ALWAYS_THE_SAME: Final = sampling.StaticSampler.should_sample
_BY_PARENT: Final = sampling.ParentBased.should_sample
# Where a program puts a function of its own into one sampler.
_OWN: Final = "should_sample"
# The bit of trace flags that says so; told without the call that their property takes.
_SAMPLED: Final = 1


def drops_whole_traces(provider: TracerProvider) -> bool:
    """Say whether below a span that is not sampled nothing is ever sampled.

    That is so for the SDK's own samplers, the default one among them, unless they are put together otherwise;
    a sampler of the program's own may decide by whatever it likes.
    """
    sampler = getattr(provider, "sampler", None)
    if not _is_of_sdk(sampler):
        return False
    if isinstance(sampler, sampling.TraceIdRatioBased):
        return True
    if isinstance(sampler, sampling.ParentBased):
        sampler = getattr(sampler, "_local_parent_not_sampled", None)
    if not isinstance(sampler, sampling.StaticSampler) or not _is_of_sdk(sampler):
        return False
    return sampler.get_description() == _OFF


def _is_of_sdk(sampler: object) -> bool:
    """Say whether a sampler is one of the SDK's own, with nothing of the program's in it."""
    return type(sampler).__module__ == sampling.__name__ and _OWN not in vars(sampler)


def decide(  # noqa: PLR0913, PLR0917 - what a sampler is asked
    sampler: Any,
    context: Context | None,
    parent: SpanContext | None,
    trace_id: int,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, Any],
) -> tuple[Decision, Mapping[str, Any], TraceState | None]:
    """Return what a sampler says of a span: the decision, its attributes, and its trace state.

    One that always says the same is not asked, as asking takes several calls and a copy; the SDK's default
    sampler is such a one below every sampled span. One with a function of its own is asked, be it its class's
    or its own alone, and so is one that stands for another. This is private access; see
    :mod:`litespan.export.span_start`, which calls it only with the version that was tried.
    """
    asked = sampler
    try:
        way = type(asked).should_sample
        if way is _BY_PARENT and _OWN not in asked.__dict__:
            asked = _for_parent(asked, parent)
            way = type(asked).should_sample
        if way is _ALWAYS_THE_SAME and _OWN not in asked.__dict__:
            return asked._decision, attributes, None if parent is None else parent.trace_state
    except AttributeError:
        pass  # what stands for another hands on what it is asked for, and its class has no such function
    sampled = sampler.should_sample(context, trace_id, name, kind, attributes, ())
    return sampled.decision, _copied(sampled.attributes), sampled.trace_state


def _copied(told: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return a copy of what a sampler said. Most can copy themselves, which is many times as fast."""
    try:
        return told.copy()  # type: ignore[union-attr,no-any-return]  # of a mapping's proxy, and of a dictionary
    except AttributeError:
        return dict(told or {})


def _for_parent(sampler: Any, parent: SpanContext | None) -> Any:
    """Return the sampler that decides below a parent."""
    if parent is None:
        return sampler._root
    if parent.trace_flags & _SAMPLED:
        return sampler._remote_parent_sampled if parent.is_remote else sampler._local_parent_sampled
    return sampler._remote_parent_not_sampled if parent.is_remote else sampler._local_parent_not_sampled
