"""What a program says about its own work: who it is for, which session, tags, attributes of its own.

Checks and bounds of such values, and how inner ones stand on top of outer ones. Knows neither contexts nor
hosts nor OpenTelemetry.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

Scalar = str | bool | int | float
AttributeValue = Scalar | tuple[Scalar, ...]

MAX_NAME: Final = 256  # characters
MAX_TEXT: Final = 1024  # characters
MAX_ITEMS: Final = 64  # tags, and items of a list

_OWNED_PREFIXES: Final = ("gen_ai.", "litespan.", "openai_agents.")
_PERSONAL: Final = ("user.id", "session.id", "conversation.id")
_OWNED_NAMES: Final = frozenset({"user.id", "session.id"})
_ID_BITS: Final = 256
_LARGEST_INT: Final = 2**63 - 1  # OTLP has no larger ones; one such value would fail a whole export


class Labels(NamedTuple):
    """What holds for everything that begins inside a ``using`` block. Values are checked and bounded."""

    user: str | None = None
    session: str | None = None
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeValue] = MappingProxyType({})

    def over(self, outer: Labels) -> Labels:
        """Return these on top of others: inner values win, tags add up."""
        return Labels(
            self.user or outer.user,
            self.session or outer.session,
            tuple(dict.fromkeys((*outer.tags, *self.tags)))[:MAX_ITEMS],
            {**outer.attributes, **self.attributes},
        )


def inherited(own: Labels | None, outer: Labels | None) -> Labels | None:
    """Return what holds for something that began with ``own`` under something for which ``outer`` holds."""
    if own is None or own is outer:
        return outer
    return own if outer is None else own.over(outer)


def problem_of_name(name: object) -> str | None:
    """Say why a program's own attribute cannot have this name; ``None`` if it can."""
    if not isinstance(name, str) or not name.strip():
        return "it must be a text that is not empty"
    if len(name) > MAX_NAME:
        return f"it is longer than {MAX_NAME} characters"
    if name.startswith(_OWNED_PREFIXES):
        return f"names that start with {', '.join(_OWNED_PREFIXES)} are not the program's to set"
    if name in _OWNED_NAMES:
        return "user and session are given as litespan.using(user=…, session=…)"
    return None


def is_personal(name: str) -> bool:
    """Say whether an attribute's name tells that it has a value for each user, session or conversation."""
    return name.endswith(_PERSONAL)


def as_text(value: str) -> str:
    """Return a text in the length that is kept, and without what UTF-8 cannot hold."""
    text = value[:MAX_TEXT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def as_name(value: object) -> str | None:
    """Return a host's name or id of something in the length that is kept; ``None`` if it is no text or empty.

    Such texts come from models, servers and users. One that UTF-8 cannot hold would fail a whole export.
    """
    if type(value) is str and len(value) <= MAX_TEXT and value.isascii():
        return value or None  # as nearly always
    return as_text(value) or None if isinstance(value, str) else None


def as_id(value: object) -> str | None:
    """Return an id or a tag as text: of a text that is not blank, a whole number or a UUID. Else ``None``."""
    if isinstance(value, str):
        return as_text(value) if value.strip() else None
    if isinstance(value, int) and (isinstance(value, bool) or value.bit_length() > _ID_BITS):
        return None  # Python refuses to print integers of some thousand digits
    if isinstance(value, (int, UUID)):
        return str(value)
    return None


def as_attribute(value: object) -> AttributeValue | None:
    """Return a value in one of OpenTelemetry's types, bounded in length; ``None`` if it is of another."""
    if isinstance(value, (list, tuple)):
        items = tuple(item for item in map(_scalar, value[:MAX_ITEMS]) if item is not None)
        whole = len(items) == min(len(value), MAX_ITEMS)
        return items if whole and len({type(item) for item in items}) <= 1 else None
    return _scalar(value)


def _scalar(value: object) -> Scalar | None:
    """Return a text, truth value or number as exactly that; subclasses (enumerations) hide others."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST_INT else None
    return float(value) if isinstance(value, float) else None
