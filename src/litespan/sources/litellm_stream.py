"""What litespan knows of a stream of LiteLLM, and does with its chunks on their way to the program.

The program sees the same chunks: type, order, number and deltas. When litespan asked for the usage, the extra
usage chunk is read ahead at the finish chunk, its usage is moved there, and the extra chunk is not delivered.
The look-ahead costs the finish chunk the wait for the usage chunk. Where something comes in between, as the
rest of another choice, the extra chunk is dropped when it comes.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Literal

from litespan import records
from litespan.guard import guarded, guarded_two
from litespan.sources import litellm_failures as failures
from litespan.sources.litellm_call import OpenCall
from litespan.sources.litellm_readers import StreamReader
from litespan.sources.litellm_usage import fill_cache_writes, hidden_of, read

# What becomes of a chunk that the program would not have got.
DROPPED: Final = "dropped"
# Newer versions of LiteLLM (1.110.2) leave the choices out of the usage chunk of a program that asks itself.
_BY_CALLER: Final = "caller_requested_stream_usage"


class End:
    """What a look-ahead found instead of a chunk: the end of the stream, or its exception."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _ReadToItsEnd:
    """A provider's stream of which nothing more is read; whatever else it has is there."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """Read an attribute of the stream."""
        return getattr(self._stream, name)

    def __aiter__(self) -> _ReadToItsEnd:
        """Iterate over nothing."""
        return self

    async def __anext__(self) -> Any:
        """End."""
        raise StopAsyncIteration

    def __iter__(self) -> _ReadToItsEnd:
        """Iterate over nothing."""
        return self

    def __next__(self) -> Any:
        """End."""
        raise StopIteration


class StreamState:
    """What is known of one stream; shared by the proxy and its finalizer, and never holding the proxy."""

    __slots__ = ("call", "finished", "inner", "pending", "reader")

    def __init__(self, call: OpenCall, inner: Any, reader: StreamReader) -> None:
        self.call = call
        self.inner = inner
        self.reader = reader
        self.pending: list[Any] = []
        self.finished = False
        if call.asked_anyway:
            call.asked_of = None  # the program gets what it would have got
            if hasattr(inner, _BY_CALLER):
                setattr(inner, _BY_CALLER, False)
        if call.asked_of is not None:
            # What comes before the answer and has no choice, as Azure's word on the prompt, LiteLLM hands on
            # to those only who ask. The program has not.
            stop_asking(inner)

    # -- while chunks come ---------------------------------------------------------------------------------
    @guarded_two("stream")
    def look_ahead_after(self, chunk: Any) -> bool | Literal["dropped"]:
        """Take note of a chunk; true if the next one may be the usage that litespan asked for.

        ``DROPPED`` if it is here only because litespan asked: one without a choice, or the usage, later than
        right behind the first choice that ended.
        """
        call, reader = self.call, self.reader
        if call.record.time_to_first_chunk is None:
            call.first_chunk()
            if call.asked_of is not None:
                _ask(self.inner, asks=True)
        if call.asked_of is None:
            # Who asked by themselves get the usage as LiteLLM delivers it: on a chunk of its own.
            fill_cache_writes(read(chunk, "usage"))
        elif reader.shows_asking:
            reader.hide_asking(chunk)
        if not reader.is_last(chunk):
            if call.asked_of is None:
                return False
            if self.finished and self._is_extra(chunk):
                self._stop_reading()
                return DROPPED
            return False if chunk.choices else DROPPED
        self.finished = True
        # A program may leave at this chunk; where the usage comes for sure, it shall have come by then.
        return call.asked_of is not None or call.asked_anyway

    @guarded("stream")
    def is_extra(self, following: Any) -> bool:
        """Say whether a chunk exists only because litespan asked for the usage."""
        asked = self.call.asked_of is not None
        return asked and not isinstance(following, End) and self._is_extra(following)

    def _is_extra(self, chunk: Any) -> bool:
        # LiteLLM notes that it has delivered the extra chunk, which is empty where it knows of no usage.
        return read(self.inner, "sent_stream_usage") is True or self.reader.is_usage_only(chunk)

    def _stop_reading(self) -> None:
        """Have LiteLLM end a stream whose extra chunk has come, instead of reading its connection once more.

        Without the option it would have ended here, also where the connection stays open or breaks. It reads
        on only where the usage is still to come: LiteLLM 1.83 delivers the extra chunk when the first of
        several choices has ended.
        """
        held = vars(self.inner)
        ended = held.get("sent_stream_usage") is True and "completion_stream" in held
        if ended and self.reader.has_usage(self.inner):
            self.inner.completion_stream = _ReadToItsEnd(self.inner.completion_stream)

    @guarded("stream")
    def take(self, chunk: Any, following: Any) -> None:
        """Take note of the end, or of an extra chunk, whose usage goes onto this one."""
        if not isinstance(following, End):
            self._stop_reading()
            reported = self.reader.has_usage(self.inner)
            # First: the chunk is among those that the record is filled from, and LiteLLM's sum has estimates.
            self.complete()
            if reported:
                _move_usage(following, chunk)
        elif isinstance(following.error, (StopIteration, StopAsyncIteration)):
            self.complete()

    @guarded("stream")
    def stop_asking(self) -> None:
        """Let LiteLLM deliver no extra chunk: without the look-ahead the program would see it."""
        stop_asking(self.inner)

    # -- ends ----------------------------------------------------------------------------------------------
    def complete(self) -> None:
        """End the call: the stream is at its end, or everything that matters of it has arrived."""
        if not self.call.closed:
            self._end(self._outcome_of_end())

    def _outcome_of_end(self) -> str:
        """Say how a stream has ended that is at its end, and note it where it broke off."""
        cut = not (self.call.mocked or self.reader.arrived_whole(self.inner, finished=self.finished))
        probe = self.call.probe
        if cut or (probe is not None and probe.cut):
            self.call.record.failure = records.Failure(type=records.INCOMPLETE)
            return records.INCOMPLETE
        return records.OK

    at_end = guarded("stream")(complete)

    @guarded("stream")
    def failed(self, error: BaseException) -> None:
        """End the call with an exception of the stream; what had arrived is kept."""
        if self.call.closed:
            return
        try:
            self._fill()
        finally:
            self.call.failed(error)

    @guarded("stream")
    def closed(self) -> None:
        """End the call of a stream that nobody reads any more."""
        if not self.call.closed:
            self._end(self._outcome_when_left())

    @guarded("stream")
    def vanished(self) -> None:
        """Have the call of a stream ended that does not exist any more, at the next safe moment.

        What it said is read now: to keep the stream until then would keep its connection open, and the
        provider answering.
        """
        if self.call.closed:
            return
        end = partial(self.call.ended, self._outcome_when_left())
        try:
            self._fill()
        finally:
            self.call.inner = None
            self.call.record.settle = end
            self.call.end_later(end)

    def _outcome_when_left(self) -> str:
        return self._outcome_of_end() if self.finished else records.ABANDONED

    def _end(self, outcome: str) -> None:
        try:
            self._fill()
        finally:
            self.call.ended(outcome)  # also of chunks that cannot be read: a call is never left open

    def _fill(self) -> None:
        self.reader.fill(self.call.record, self.inner)
        self.call.take_inner()

    @guarded("stream")
    def drop_error_after_finish(self, error: BaseException) -> bool:
        """Say whether an error exists only because the stream was read further than the program would have.

        Seen with Anthropic over httpx when the connection is cut after ``message_delta``: without the usage
        option LiteLLM does not read on. And in programs for which warnings are errors, as tests often are: on
        the usage LiteLLM (1.83.0) uses what pydantic calls deprecated.
        """
        if failures.was_warning(error):
            return True
        return self.call.record.litellm_provider == "anthropic" and failures.was_cut(error)


def _move_usage(following: Any, chunk: Any) -> None:
    usage = following.usage
    fill_cache_writes(usage)
    chunk.usage = usage
    hidden = hidden_of(chunk)
    if isinstance(hidden, dict):
        hidden.setdefault("usage", usage)


def stop_asking(inner: Any) -> None:
    """Take the wish for a usage chunk back from a stream of LiteLLM that has begun (litellm 1.83.0)."""
    _ask(inner, asks=False)


def _ask(inner: Any, *, asks: bool) -> None:
    if hasattr(inner, "send_stream_usage"):
        inner.send_stream_usage = asks
        inner.stream_options = {**(inner.stream_options or {}), "include_usage": asks}
