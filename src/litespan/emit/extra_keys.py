"""Attributes of the program's own that are allowed on counters.

Their values are taken from what the program says in its code. Baggage is no source: it comes with requests,
and whoever sends those could fill a metric with series.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from litespan.labels import AttributeValue
from litespan.records import Record

Pairs = tuple[tuple[str, str], ...]


class ExtraKeys:
    """The keys that are allowed, and the values that hold for everything in the program."""

    def __init__(self, keys: Sequence[str], constant: Mapping[str, AttributeValue]) -> None:
        self._keys = tuple(keys)
        self._constant = constant

    def of(self, record: Record) -> tuple[Pairs, ...]:
        """Return one tuple of keys with their values, or nothing where none is set.

        Values become text: a sum of ``1`` and one of ``True`` would otherwise be the same sum.
        """
        if not self._keys:
            return ()
        given = record.labels.attributes if record.labels is not None else {}
        values = {key: given.get(key, self._constant.get(key)) for key in self._keys}
        pairs = tuple((key, _text(value)) for key, value in values.items() if value is not None)
        return (pairs,) if pairs else ()


def _text(value: AttributeValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)
