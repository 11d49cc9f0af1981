"""What came of trying an endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """How the other side behaved."""

    ACCEPTED = "took an empty export"
    DENIED = "refused the credentials"
    NO_SUCH_PATH = "knows no such path or service"
    REDIRECTED = "sends elsewhere"
    WEB_PAGE = "answers with a web page"
    BUSY = "is there and takes nothing now"
    REJECTED = "rejected an empty export"
    OTHER_LANGUAGE = "does not speak this protocol"
    UNTRUSTED = "has a certificate that is not trusted"
    WANTS_CERTIFICATE = "wants a certificate of the client"
    SILENT = "takes the connection and does not answer"
    REFUSED = "refuses connections"
    UNREACHABLE = "cannot be reached"
    NO_HOST = "has a name that is not known"
    PROXY = "is hidden behind a proxy that does not answer"
    UNUSABLE = "cannot be tried with these settings"


# The other side speaks the protocol that was tried, whatever it says in it.
SPOKEN: Final = frozenset(
    {
        Kind.ACCEPTED,
        Kind.DENIED,
        Kind.NO_SUCH_PATH,
        Kind.REDIRECTED,
        Kind.WEB_PAGE,
        Kind.BUSY,
        Kind.REJECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One try.

    Attributes:
        kind: how the other side behaved.
        words: its status, such as ``HTTP 401``, or what is wrong with its certificate; never a header.
        skew: seconds by which its clock is ahead of this one's, to about a second; None if it told no time.
    """

    kind: Kind
    words: str = ""
    skew: float | None = None
