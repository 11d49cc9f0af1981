"""What the fake models answer: for each ticket and agent, the replies in the order of the calls."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from litespan.cli.desk.team import ORDERS, POLICY, REFUNDS, TRIAGE
from litespan.cli.desk.tickets import LOST_ORDER
from litespan.testing import Reply, Request, ServedUsage, ToolCall

_TO_ORDERS: Final = Reply.calls(ToolCall("transfer_to_orders"))
_TO_REFUNDS: Final = Reply.calls(ToolCall("transfer_to_refunds"))
_BUSY: Final = Reply.fails(429, code="rate_limit_exceeded", message="Slow down.", retry_after=0.05)
_TOO_LONG: Final = Reply.fails(
    400,
    code="context_length_exceeded",
    type="invalid_request_error",
    message="This model's maximum context length is 1047576 tokens.",
)


def _order(number: str) -> ToolCall:
    return ToolCall("find_order", {"order": number})


def _parcel(number: str) -> ToolCall:
    return ToolCall("track_parcel", {"order": number})


def _policy(ticket: str, question: str) -> ToolCall:
    return ToolCall("ask_policy", {"input": f"Ticket {ticket}: {question}"})


_REPLIES: Final[Mapping[str, Mapping[str, tuple[Reply, ...]]]] = {
    "T-101": {
        TRIAGE: (_TO_REFUNDS,),
        REFUNDS: (
            Reply.calls(_order(LOST_ORDER), _parcel(LOST_ORDER)),
            Reply.calls(_parcel(LOST_ORDER), _policy("T-101", "Is a parcel that the carrier lost refunded?")),
            Reply.says("I am sorry: the carrier lost your parcel. You get 49.00 EUR back within three days."),
        ),
        POLICY: (Reply.says("A parcel that the carrier has lost is refunded in full."),),
    },
    "T-102": {
        TRIAGE: (_TO_ORDERS,),
        ORDERS: (
            Reply.calls(_order("7102"), _parcel("7102")),
            Reply.says("Your desk lamp is in delivery and arrives today."),
        ),
    },
    "T-103": {TRIAGE: (Reply.says("Hello! We are here from 9 to 17 on weekdays."),)},
    "T-104": {
        TRIAGE: (_TO_ORDERS,),
        ORDERS: (
            Reply.calls(_order("7104")),
            Reply.says("It has been sent already, so the address can no longer be changed."),
        ),
    },
    "T-106": {
        TRIAGE: (_TO_REFUNDS,),
        REFUNDS: (
            Reply.calls(_policy("T-106", "May a lamp be returned after 20 days?")),
            Reply.says("Yes, you can return it for ten more days."),
        ),
        POLICY: (Reply.says("Unused goods may be returned within 30 days."),),
    },
    "T-107": {
        TRIAGE: (_BUSY, _TO_ORDERS),
        ORDERS: (Reply.calls(_parcel("7107")), Reply.says("It arrives today.")),
    },
    "T-108": {TRIAGE: (Reply.says("You are welcome!"),)},
    "T-109": {TRIAGE: (_TO_REFUNDS,), REFUNDS: (_TOO_LONG,)},
    "T-110": {
        TRIAGE: (_TO_ORDERS,),
        ORDERS: (Reply.calls(_order("7110")), Reply.says("Yes, order 7110 is paid: 49.00 EUR.")),
    },
    "T-111": {
        TRIAGE: (_TO_REFUNDS,),
        REFUNDS: (
            Reply.calls(_order("7111"), _policy("T-111", "Is a kettle replaced that broke after a year?")),
            Reply.says("Yes: the warranty lasts two years, so we send you a new one."),
        ),
        POLICY: (Reply.says("Within two years a broken product is replaced free of charge."),),
    },
    "T-112": {
        TRIAGE: (_TO_ORDERS,),
        ORDERS: (Reply.calls(_parcel("7112")), Reply.says("Yes, it is in delivery and comes today.")),
    },
}  # fmt: skip


class _Manner(NamedTuple):
    """How a model behaves: seconds to its first byte, and tokens that are not in the visible texts."""

    delay: float
    handbook: int = 0
    cached: int = 0
    reasoning: int = 0


_MANNERS: Final[Mapping[str, _Manner]] = {
    "gpt-4.1-mini": _Manner(0.05),
    "gpt-4.1": _Manner(0.09),
    "o4-mini": _Manner(0.16, handbook=1_610, cached=1_536, reasoning=192),
}

_CHARACTERS_PER_TOKEN: Final = 4
_CHUNK_SECONDS: Final = 0.015
_PIECES: Final = 8


class Script:
    """Answers the fake provider's requests; runs in its server's thread."""

    def __init__(self) -> None:
        self._answered: Counter[tuple[str, str]] = Counter()

    def __call__(self, request: Request) -> Reply | None:
        """Return the next reply for this ticket and agent; None if nothing is left to say."""
        text = json.dumps(list(request.messages))
        ticket, agent = re.search(r"T-\d+", text), re.search(r"You are (\w+)", text)
        if ticket is None or agent is None:
            return None
        place = ticket[0], agent[1]
        replies = _REPLIES[place[0]][place[1]][self._answered[place] :]
        self._answered[place] += 1
        return _in_manner(request, replies[0]) if replies else None


def _in_manner(request: Request, reply: Reply) -> Reply:
    """Give a reply the pace and the token counts of the model that is asked."""
    manner = _MANNERS[request.model]
    asked = json.dumps([list(request.messages), list(request.tools)])
    said = reply.text + "".join(call.name + json.dumps(dict(call.arguments)) for call in reply.tool_calls)
    usage = ServedUsage(
        input_tokens=manner.handbook + len(asked) // _CHARACTERS_PER_TOKEN,
        output_tokens=manner.reasoning + 1 + len(said) // _CHARACTERS_PER_TOKEN,
        cache_read_tokens=manner.cached,
        reasoning_tokens=manner.reasoning,
    )
    return reply.but(usage=usage, delay=manner.delay, chunk_delay=_CHUNK_SECONDS, pieces=_PIECES)
