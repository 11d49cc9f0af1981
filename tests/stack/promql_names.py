"""Which metrics and labels a PromQL expression names."""

from __future__ import annotations

import re
from typing import NamedTuple

_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"\{([^}]*)\}")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_RANGE = re.compile(r"\[[^\]]*\]")
_WORD = re.compile(r"(?<![\w.])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])")
_KEYWORDS = frozenset({
    "and", "or", "unless", "bool", "offset", "atan2", "inf", "nan", "by", "without", "on", "ignoring",
    "group_left", "group_right",
})  # fmt: skip


class Names(NamedTuple):
    """The names in an expression: metrics, labels it groups or joins by, and labels it matches."""

    metrics: frozenset[str]
    grouped: frozenset[str]
    matched: frozenset[str]

    @property
    def labels(self) -> frozenset[str]:
        """All labels."""
        return self.grouped | self.matched


def names(expression: str) -> Names:
    """Return the names in an expression that parses; no metric in it is written as ``{__name__="…"}``."""
    rest = _STRING.sub('""', expression)
    grouped = [label.strip() for found in _GROUPING.findall(rest) for label in found.split(",")]
    rest = _GROUPING.sub(" ", rest)
    matched = [label for found in _SELECTOR.findall(rest) for label in _MATCHER.findall(found)]
    rest = _RANGE.sub(" ", _SELECTOR.sub(" ", rest))
    words = frozenset(_WORD.findall(rest))
    return Names(words - _KEYWORDS, frozenset(grouped) - {""}, frozenset(matched))
