"""One model call that two sources see: the host's own model span, and the call that is made inside it.

The host's span has opened a record, the *whole*. The first call that starts directly below it becomes its
*part*: it opens no record of its own, and what it learns is the truth about the whole. The whole ends when
both have ended. Functions on records; they know no host and no emitter.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from litespan import records
from litespan.records import ModelCall, Record, Step, Usage

_EMBEDDINGS: Final = "embeddings"
# What a whole keeps of its own when it takes over everything else.
_OWN: Final = frozenset(
    {
        "counted_as",
        "host_allows_content",
        "host_span",
        "inner_calls",
        "inner_tokens",
        "left",
        "part",
        "sent",
        "whole",
    }
)
_COMMON: Final = frozenset(field.name for field in fields(Record))
_TAKEN: Final = tuple(
    field.name for field in fields(ModelCall) if field.name not in _COMMON and field.name not in _OWN
)
# Where the call does not know them, what the host's span said stays.
_IF_KNOWN: Final = frozenset({"litellm_provider", "model", "server_address", "server_port"})


def answers(call: ModelCall) -> bool:
    """Say whether a call is for what a model says; embeddings are for finding what to ask it."""
    return call.operation != _EMBEDDINGS


def is_open(part: ModelCall | None) -> bool:
    """Say whether there is a part, and it has not ended."""
    return part is not None and part.end_ns is None


def is_under_way(record: Record) -> bool:
    """Say whether a call waits for its whole answer: that comes or fails, while a stream may be left unread.

    Of a host's span without a call inside nobody knows whether it ever ends.
    """
    call = record.part or record if isinstance(record, ModelCall) else None
    return call is not None and call.end_ns is None and not (call.stream or call.host_span)


def belongs(record: Record, ended_ns: int) -> bool:
    """Say whether something open in an ended trace is part of it: begun before its end, or in a run."""
    return record.start_ns <= ended_ns or record.run is not None or record.agent_name is not None


def may_claim(whole: ModelCall) -> bool:
    """Say whether a whole has no part, or one that failed: the program then tries again."""
    part = whole.part
    tries_again = part is not None and part.end_ns is not None and part.outcome != records.OK
    return whole.end_ns is None and (part is None or tries_again)


def join(whole: ModelCall, part: ModelCall, start_ns: int) -> None:
    """Bind a part to its whole, under whose span it runs; the caller holds the table's lock."""
    whole.part = part
    part.whole, part.handle, part.start_ns = whole, whole.handle, start_ns


def part_off(part: ModelCall) -> None:
    """Make a part a call of its own, which needs a span of its own."""
    part.whole = part.handle = None


def succeeded_otherwise(whole: ModelCall, part: ModelCall) -> bool:
    """Say whether the host's span ended well though its part failed: another call gave the answer."""
    failed = part.outcome == records.ERROR and whole.outcome == records.OK
    return failed and bool(whole.inner_calls or whole.usage is not None)


def take(whole: ModelCall, part: ModelCall) -> None:
    """Write what the part learned into its whole: the response knows better than the host's span."""
    for name in _TAKEN:
        value = getattr(part, name)
        if value is not None or name not in _IF_KNOWN:
            setattr(whole, name, value)
    whole.outcome, whole.failure = part.outcome, part.failure


def stand_back(call: ModelCall) -> None:
    """Let a host's model span that only surrounds model calls carry nothing that they carry already.

    It has sent nothing itself if it reports no usage, or just the sum of theirs.
    """
    if not call.inner_calls:
        return
    if call.usage is None or tokens(call.usage) == call.inner_tokens:
        call.sent, call.usage_elsewhere = False, True
        call.usage_missing_reason = None


def tell_outer_call(call: ModelCall) -> None:
    """Let a call know what was spent inside it; the caller holds the table's lock."""
    above = call.parent
    while isinstance(above, Step):
        above = above.parent
    if isinstance(above, ModelCall) and answers(call):
        above.inner_calls += call.inner_calls + call.sent
        above.inner_tokens += call.inner_tokens + tokens(call.usage)


def tokens(usage: Usage | None) -> int:
    """Return input and output together; 0 where nothing was reported."""
    return (usage.input_tokens or 0) + (usage.output_tokens or 0) if usage is not None else 0
