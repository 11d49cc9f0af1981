"""What one job does, drawn from a seed: a run that is cancelled, or a stream that is left."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from litespan.testing import Reply, Request, ToolCall

Kind = Literal["run", "stream", "blocking"]

RUN_ENDS: Final = ("task", "timeout", "result")
"""A run's end: its task is cancelled, its time is over, or its result is told to stop."""

STREAM_ENDS: Final = ("drop", "leave", "close", "close elsewhere", "cancel")
"""A stream's end: dropped unread, left after some chunks, closed, closed by another task, cancelled."""

LONGEST: Final = 1.0  # seconds until a cancellation; early ones are drawn more often than late ones
MOST_PIECES: Final = 6
_EVENTS: Final = MOST_PIECES + 4  # a stream also has its role, its finish, its usage and its end
_EARLY: Final = 0.1  # the share of cancellations that come before anything has happened


@dataclass(frozen=True, slots=True)
class Job:
    """One job; the same seed and number give the same job.

    Attributes:
        end: one of `RUN_ENDS` or `STREAM_ENDS`.
        delay: seconds until a cancellation; 0 comes before the first step.
        chunks: that are read of a stream before it is left.
        streamed: whether a run is streamed.
        through: who makes the stream: `plain` LiteLLM, or the model class of the Agents SDK.
        text: the question; it tells the provider in how many pieces to answer, and after which event of a
            stream to fall silent (-1: never).
    """

    number: int
    kind: Kind
    end: str
    delay: float
    chunks: int
    streamed: bool
    through: str
    text: str


def draw(seed: int, number: int, kind: Kind) -> Job:
    """Draw a job."""
    random = Random(f"{seed}/{number}")  # noqa: S311 - a seed that repeats a job is the point
    end = random.choice(RUN_ENDS if kind == "run" else STREAM_ENDS)
    pieces, silent_after = random.randint(1, MOST_PIECES), random.choice((-1, random.randint(0, _EVENTS - 1)))
    # Who reads without await cannot be interrupted, so it reads only what comes: neither the first event,
    # which is no chunk, nor the last chunk, for which litespan waits until it has the usage, too.
    most = max(silent_after - 3, 0) if kind == "blocking" and silent_after >= 0 else _EVENTS
    return Job(
        number,
        kind,
        end,
        0.0 if random.random() < _EARLY else random.random() ** 2 * LONGEST,
        random.randint(0, min(most, pieces) if kind == "blocking" else most),
        end == "result" or random.random() < 0.5,
        random.choice(("plain", "model")),
        f"{pieces} {silent_after}",
    )


def answer(request: Request) -> Reply:
    """Answer as a job's text says: a tool first where there is one, then pieces, then possibly silence."""
    texts = [message["content"] for message in request.messages if message["role"] == "user"]
    pieces, silent_after = map(int, str(texts[-1]).split())
    if request.tools and not any(message["role"] == "tool" for message in request.messages):
        return Reply.calls(ToolCall("look_up", {"word": "x"}), pieces=pieces)
    if silent_after >= 0 and not request.stream:
        return Reply.hangs()
    said = Reply.says("a b c d e f", pieces=pieces, chunk_delay=0.001)
    return said if silent_after < 0 else said.but(stall_after=silent_after)
