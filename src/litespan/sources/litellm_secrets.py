"""What authenticates or steers a request, to be taken out of exception texts: providers quote keys there.

LiteLLM takes keys from arguments, from variables of its module and from the environment, and what it sends
may be in none of them, such as a token that it fetched: that one is in the headers of the request.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from litespan.sources.litellm_usage import read

_STEERING: Final = ("extra_body", "extra_query", "metadata", "organization", "user")
_AUTHENTICATES: Final = re.compile(
    r"auth|cookie|credential|header|key|organization|pass(word|phrase)|secret|token", re.IGNORECASE
)
_URL_OF_PROXY: Final = re.compile(r".*_proxy", re.IGNORECASE)
_SHORTEST: Final = 4  # shorter values are words like "on"; without them a text stays readable
_SHORTEST_ELSEWHERE: Final = 8  # nobody has put these into the request, so a plain word is more likely
_MAX_DEPTH: Final = 8


def of_request(named: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts in a request's arguments that no telemetry may quote."""
    found = {
        text
        for name, value in named.items()
        if name in _STEERING or _AUTHENTICATES.search(name)
        for text in _texts(value, _MAX_DEPTH)
    }
    found.update(_of_url(named.get("base_url") or named.get("api_base")))
    return _long_enough(found, _SHORTEST)


def of_process() -> tuple[str, ...]:
    """Return keys that calls use without naming them: of the environment and of LiteLLM's module."""
    found: set[str] = set()
    for name, value in os.environ.items():
        if _URL_OF_PROXY.fullmatch(name):
            found.update(_of_url(value))
        elif _AUTHENTICATES.search(name):
            found.update((value, *(pair.partition("=")[2] for pair in value.split(","))))
    module = vars(sys.modules["litellm"]) if "litellm" in sys.modules else {}
    found.update(
        value for name, value in list(module.items()) if name.endswith("key") and isinstance(value, str)
    )
    return _long_enough(found, _SHORTEST_ELSEWHERE)


def of_sent(answer: Any) -> tuple[str, ...]:
    """Return what authenticated the request to an answer (``httpx.Response``): headers, parts of the URL."""
    request = read(answer, "_request")  # the public property raises where there is none
    headers = read(request, "headers")
    found = set(_of_url(str(read(request, "url") or "")))
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        if _AUTHENTICATES.search(name):
            found.update((value, value.rpartition(" ")[2]))
    return _long_enough(found, _SHORTEST_ELSEWHERE)


def without(text: str, secrets: tuple[str, ...]) -> str:
    """Return a text in which the secrets are blanked, all at once: one may be a piece of "[secret]"."""
    longest_first = sorted(filter(None, secrets), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), "[secret]", text) if longest_first else text


def _long_enough(texts: Iterable[str], shortest: int) -> tuple[str, ...]:
    return tuple(text for text in texts if len(text) >= shortest)


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
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL, and nobody can say where its secrets are
        yield url
        return
    yield parts.netloc.rpartition("@")[0]
    yield from (text or "" for text in (parts.username, parts.password, parts.query))
    yield from (pair.partition("=")[2] for pair in parts.query.split("&"))
