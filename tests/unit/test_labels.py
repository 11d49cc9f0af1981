"""Names and ids of hosts, in the length and the letters that can be sent."""

from __future__ import annotations

import enum

import pytest

from litespan.labels import MAX_TEXT, as_name


class Kind(str, enum.Enum):
    """A text that is more than a text."""

    CHAT = "chat"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("gpt-4o", "gpt-4o"),
        ("modèle", "modèle"),
        ("x" * MAX_TEXT, "x" * MAX_TEXT),
        ("x" * (MAX_TEXT + 1), "x" * MAX_TEXT),
        ("é" * (MAX_TEXT + 1), "é" * MAX_TEXT),
        ("a\ud800b", "a?b"),
        (Kind.CHAT, "chat"),
        ("", None),
        (None, None),
        (b"gpt", None),
        (4, None),
    ],
)
def test_as_name(given: object, name: str | None) -> None:
    """A name is a plain text that is bounded and can be encoded; what is no text or empty is none."""
    found = as_name(given)

    assert (name, type(name)) == (found, type(found))
