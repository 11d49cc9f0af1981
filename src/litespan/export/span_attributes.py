"""Attributes of OpenTelemetry's spans, written at once where the SDK would clean them and change nothing.

The SDK looks at each value: it asks for its type in several ways, and copies what is no plain value.
litespan's are plain, which is told for all of them together in a fraction of that time. What decides stays
the SDK's: limits of number and length, and that an ended span takes nothing.

This is private access, tried with the same version as :mod:`litespan.export.bound`; under other versions, and
for spans that are not the SDK's own, the public API is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import _Span
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import Span

from litespan.export.bound import TRIED

_PLAIN: Final = frozenset({str, bool, int, float, bytes, type(None)})
_TEXT: Final = frozenset({str})


def set_attributes(span: Span, attributes: Mapping[str, Any]) -> None:
    """Do what `span.set_attributes` does."""
    if type(span) is _Span and sdk_version == TRIED:
        bounded: Any = span._attributes  # noqa: SLF001 - see the module's text
        if stay_as_they_are(attributes, bounded):
            with span._lock:  # noqa: SLF001
                if span._end_time is None:  # noqa: SLF001
                    with bounded._lock:  # noqa: SLF001 - those who export read under this one
                        bounded._dict.update(attributes)  # noqa: SLF001
                    return
    span.set_attributes(attributes)


def stay_as_they_are(attributes: Mapping[str, Any], bounded: Any) -> bool:
    """Say whether the SDK would take attributes unchanged, and has room for them in those of a span.

    It does so with plain values, and tuples of them, under texts.
    """
    room = bounded.maxlen
    return (
        (_PLAIN.issuperset(map(type, attributes.values())) or _are_plain(attributes.values()))
        and _TEXT.issuperset(map(type, attributes))
        and "" not in attributes
        and bounded.max_value_len is None
        and (room is None or len(bounded._dict) + len(attributes) <= room)  # noqa: SLF001
    )


def _are_plain(values: Iterable[Any]) -> bool:
    return all(_PLAIN.issuperset(map(type, v)) if type(v) is tuple else type(v) in _PLAIN for v in values)
