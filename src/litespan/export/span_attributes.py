"""Whether OpenTelemetry's SDK would take a span's attributes unchanged, so that they may be written at once.

The SDK looks at each value: it asks for its type in several ways, and copies what is no plain value.
litespan's are plain, which is told for all of them together in a fraction of that time. What decides stays
the SDK's: limits of number and length.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

_PLAIN: Final = frozenset({str, bool, int, float, bytes, type(None)})
_PLAIN_AND_TUPLES: Final = _PLAIN | {tuple}
_TEXT: Final = frozenset({str})


def stay_as_they_are(attributes: Mapping[str, Any], bounded: Any) -> bool:
    """Say whether the SDK would take attributes unchanged, and has room for them in those of a span.

    It does so with plain values, and tuples of them, under texts.
    """
    room = bounded.maxlen
    return (
        _are_plain(attributes.values())
        and _TEXT.issuperset(map(type, attributes))
        and "" not in attributes
        and bounded.max_value_len is None
        and (room is None or len(bounded._dict) + len(attributes) <= room)  # noqa: SLF001
    )


def _are_plain(values: Collection[Any]) -> bool:
    """Look at all values in a few steps: few spans have a tuple, and hardly any has more than one."""
    kinds = set(map(type, values))
    if kinds <= _PLAIN:
        return True
    return kinds <= _PLAIN_AND_TUPLES and all(
        _PLAIN.issuperset(map(type, value)) for value in values if type(value) is tuple
    )
