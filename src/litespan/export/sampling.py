"""What a tracer provider's sampler decides, where it can be told without being asked."""
# ruff: noqa: SLF001

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import sampling
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import SpanContext, SpanKind, TracerProvider, TraceState

_OFF: Final = sampling.ALWAYS_OFF.get_description()
# What the SDK's own samplers are asked by; a sampler of the program's own has another one.
_ALWAYS_THE_SAME: Final = sampling.StaticSampler.should_sample
_BY_PARENT: Final = sampling.ParentBased.should_sample


def drops_whole_traces(provider: TracerProvider) -> bool:
    """Say whether below a span that is not sampled nothing is ever sampled.

    That is so for the SDK's own samplers, the default one among them, unless they are put together otherwise;
    a sampler of the program's own may decide by whatever it likes.
    """
    sampler = getattr(provider, "sampler", None)
    if type(sampler).__module__ != sampling.__name__ or not isinstance(sampler, sampling.Sampler):
        return False
    if isinstance(sampler, sampling.TraceIdRatioBased):
        return True
    description = sampler.get_description()
    return description == _OFF or f"localParentNotSampled:{_OFF}" in description


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

    One that always says the same is not asked, as asking takes several calls and a copy. So it is below every
    sampled span with the SDK's default sampler. This is private access; see
    :mod:`litespan.export.span_start`, which calls it only with the version that was tried.
    """
    asked = sampler
    if type(asked).should_sample is _BY_PARENT:
        asked = _for_parent(asked, parent)
    if type(asked).should_sample is _ALWAYS_THE_SAME:
        return asked._decision, attributes, None if parent is None else parent.trace_state
    sampled = sampler.should_sample(context, trace_id, name, kind, attributes, ())
    told: Mapping[str, Any] = sampled.attributes
    if type(told) is MappingProxyType:
        told = told.copy()  # a copy of what it stands for, many times as fast as reading through it
    return sampled.decision, told, sampled.trace_state


def _for_parent(sampler: Any, parent: SpanContext | None) -> Any:
    """Return the sampler that decides below a parent."""
    if parent is None:
        return sampler._root
    if parent.trace_flags.sampled:
        return sampler._remote_parent_sampled if parent.is_remote else sampler._local_parent_sampled
    return sampler._remote_parent_not_sampled if parent.is_remote else sampler._local_parent_not_sampled
