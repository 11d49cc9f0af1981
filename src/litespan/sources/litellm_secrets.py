"""What authenticates or steers a request, to be taken out of exception texts: providers quote keys there.

LiteLLM takes keys from arguments, from variables of its module and from the environment, and what it sends
may be in none of them, such as a token that it fetched or the key of a client of the program's own: those are
in the headers of the request, which the answer has, and the exceptions of HTTP clients.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

from litespan.sources.litellm_usage import read

_STEERING: Final = ("extra_body", "extra_query", "metadata", "organization", "safety_identifier", "user")
_AUTHENTICATES: Final = re.compile(
    r"auth|cookie|credential|header|key|organization|pass(word|phrase)|secret|token", re.IGNORECASE
)
# Headers that say nothing of the program's; all others may be secrets of it.
_PLAIN_HEADER: Final = re.compile(
    r"accept.*|connection|content-.*|host|user-agent|transfer-encoding|x-stainless-.*|.*-(beta|version)",
    re.IGNORECASE,
)
_PLAIN_TEXT: Final = re.compile(r"[\w.~-]*", re.ASCII)  # which is spelled alike everywhere
_URL_OF_PROXY: Final = re.compile(r".*_proxy", re.IGNORECASE)
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
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
    found.update(_of_url(_url_in(named.get("model"))))
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


def of_sent(holder: Any) -> tuple[str, ...]:
    """Return what went out with the request of an answer (``httpx.Response``): headers, parts of the URL.

    ``holder`` may also be the exception of an HTTP client.
    """
    held = getattr(holder, "__dict__", _NOTHING)  # httpx's public property raises where there is none
    request = held.get("_request") or held.get("request")
    headers = read(request, "headers")
    url = read(request, "url")
    found = set(_of_url(str(url) if type(url).__name__ == "URL" else url))
    for pair in headers.items() if isinstance(headers, Mapping) else ():
        name, value = map(_header_text, pair)
        if _AUTHENTICATES.search(name):
            found.update((value, value.rpartition(" ")[2]))  # also without a word such as "Bearer"
        elif not _PLAIN_HEADER.fullmatch(name):
            found.add(value)
    return _long_enough(found, _SHORTEST_ELSEWHERE)


def _header_text(value: Any) -> str:
    """Return a header's name or value, which `requests` also takes as bytes; nothing where it is neither."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def of_errors(errors: Iterable[BaseException]) -> tuple[str, ...]:
    """Return what went out with the requests that exceptions are of."""
    return tuple(
        text
        for error in errors
        for holder in (error, vars(error).get("response"))
        for text in of_sent(holder)
    )


def without(text: str, secrets: tuple[str, ...]) -> str:
    """Return a text in which the secrets are blanked, all at once: one may be a piece of "[secret]"."""
    fitting = [secret for secret in secrets if 0 < len(secret) <= len(text)]
    spelled = {spelling for secret in fitting for spelling in _spellings(secret)}
    # Only those that are in the text: of all that a process holds, a pattern takes long to make and to try.
    longest_first = sorted((spelling for spelling in spelled if spelling in text), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), "[secret]", text) if longest_first else text


def _spellings(text: str) -> Iterator[str]:
    """Yield a text as answers quote it: plain, in JSON, in JSON within JSON, in a URL."""
    yield text
    if _PLAIN_TEXT.fullmatch(text):
        return
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])
    yield from (repr(text)[1:-1], quote(text, errors="replace"), quote_plus(text, errors="replace"))


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


def _url_in(model: Any) -> str | None:
    """Return the URL that a model's name has behind its provider."""
    return f"model://{model.partition('://')[2]}" if isinstance(model, str) else None


def _of_url(url: Any) -> Iterator[str]:
    if not isinstance(url, str):
        return
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL, and nobody can say where its secrets are
        yield url
        return
    user_info = parts.netloc.rpartition("@")[0]
    values = [pair.partition("=")[2] for pair in parts.query.split("&")]
    for text in (user_info, parts.username, parts.password, parts.query, *values):
        if text:
            yield from (text, unquote(text), unquote_plus(text))
