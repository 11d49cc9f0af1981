"""What a tracer provider's sampler decides without being asked."""

from __future__ import annotations

from opentelemetry.sdk.trace import sampling
from opentelemetry.trace import TracerProvider

_OFF = sampling.ALWAYS_OFF.get_description()


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
