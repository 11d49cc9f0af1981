"""Names of MCP servers, made safe: a default name holds the server's URL, and URLs hold secrets."""

from __future__ import annotations

import re
from typing import Final

from litespan.content import safe_url
from litespan.labels import as_name

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<rest>.*)", re.DOTALL)
_PLAIN_SEGMENT: Final = re.compile(r"[\w.~@+-]{0,24}")
UNREADABLE: Final = "<url>"


def server_name(name: object) -> str | None:
    """Return a server's name without user-info, query and fragment of a URL in it; the host stays.

    Some services put a key into the path, so a segment that is long or no plain word becomes ``…``. What
    follows a URL in the name is left out. The SDK cleans most names itself (seen in openai-agents 0.24.0),
    but not those of other schemes, or with a URL in the middle.
    """
    name = as_name(name)
    if name is None:
        return None
    found = _URL.search(name)
    return name if found is None else name[: found.start()] + _without_secrets(found["scheme"], found["rest"])


def _without_secrets(scheme: str, rest: str) -> str:
    first, _, after = rest.partition(" ")
    url = safe_url(scheme + first.replace("\\", "/"))
    # An @ behind the host may belong to a password with a slash, a blank or a question mark in it: then what
    # looks like the host is the user.
    behind = "".join(re.split(r"[?#]", first, maxsplit=1)[1:]) + after
    if url is None or "@" in behind or re.search(r"[^/]@", url.split("://", 1)[1]):
        return scheme + UNREADABLE
    host, *segments = url.split("://", 1)[1].split("/")
    kept = [segment if _PLAIN_SEGMENT.fullmatch(segment) else "…" for segment in segments]
    return scheme + "/".join([host, *kept])
