"""Attributes of OpenTelemetry's spans, written at once where the SDK would clean them and change nothing.

The SDK looks at each value: it asks for its type in several ways, and copies what is no plain value.
litespan's are plain, which is told for all of them together in a fraction of that time. What decides stays
the SDK's: limits of number and length, and that an ended span takes nothing.

This is private access, tried with the same version as :mod:`litespan.export.bound`; under other versions, and
for spans that are not the SDK's own, the public API is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import _Span
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import Span

from litespan.export.bound import TRIED

_PLAIN: Final = frozenset({str, bool, int, float, bytes, type(None)})
_PLAIN_OR_TUPLE: Final = _PLAIN | {tuple}
_TEXT: Final = frozenset({str})


def set_attributes(span: Span, attributes: Mapping[str, Any]) -> None:
    """Do what `span.set_attributes` does."""
    if type(span) is not _Span or sdk_version != TRIED:
        span.set_attributes(attributes)
        return
    bounded: Any = span._attributes  # noqa: SLF001 - see the module's text
    held, room = bounded._dict, bounded.maxlen  # noqa: SLF001
    fits = bounded.max_value_len is None and (room is None or len(held) + len(attributes) <= room)
    if fits and _are_plain(attributes):
        with span._lock:  # noqa: SLF001
            if span._end_time is None:  # noqa: SLF001
                with bounded._lock:  # noqa: SLF001 - those who export read under this one
                    held.update(attributes)
                return
    span.set_attributes(attributes)


def _are_plain(attributes: Mapping[str, Any]) -> bool:
    """Say whether the SDK would take these as they are: plain values, and tuples of them, under texts."""
    if "" in attributes or not _TEXT.issuperset(map(type, attributes)):
        return False
    kinds = set(map(type, attributes.values()))
    if kinds <= _PLAIN:
        return True
    return kinds <= _PLAIN_OR_TUPLE and all(
        _PLAIN.issuperset(map(type, value)) for value in attributes.values() if type(value) is tuple
    )
