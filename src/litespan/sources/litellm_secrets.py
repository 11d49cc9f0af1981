"""What authenticates or steers a request, to be taken out of exception texts: providers quote keys there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_SECRET: Final = ("api_key", "headers", "extra_headers", "extra_query", "extra_body", "metadata", "user")
_SHORTEST: Final = 4  # shorter values are words like "on"; without them a text stays readable
_MAX_DEPTH: Final = 8


def of_request(named: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts in a request's arguments that no telemetry may quote, the longest first."""
    found = {text for name in _SECRET for text in _texts(named.get(name), _MAX_DEPTH)}
    found.update(_of_url(named.get("base_url") or named.get("api_base")))
    return tuple(sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True))


def without(text: str, secrets: tuple[str, ...]) -> str:
    """Return a text in which the secrets are blanked."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return text


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping) and depth:
        for item in value.values():
            yield from _texts(item, depth - 1)
    elif isinstance(value, (list, tuple)) and depth:
        for item in value:
            yield from _texts(item, depth - 1)


def _of_url(url: Any) -> Iterator[str]:
    if not isinstance(url, str):
        return
    parts = urlsplit(url)
    yield parts.netloc.rpartition("@")[0]
    yield from (text or "" for text in (parts.username, parts.password, parts.query))
    yield from (pair.partition("=")[2] for pair in parts.query.split("&"))
