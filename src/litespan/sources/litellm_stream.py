"""A transparent proxy around LiteLLM's streams.

The program sees the same chunks: type, order, number and deltas. When litespan asked for the usage, the extra
usage chunk is read ahead at the finish chunk, its usage is moved there, and the extra chunk is not delivered.
The look-ahead costs the finish chunk the wait for the usage chunk.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import wrapt

from litespan import records
from litespan.guard import guarded
from litespan.sources import litellm_mapping as mapping
from litespan.sources.litellm_call import OpenCall
from litespan.sources.litellm_readers import StreamReader
from litespan.sources.litellm_usage import fill_cache_writes, read


class _End:
    """What a look-ahead found instead of a chunk: the end of the stream, or its exception."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class StreamState:
    """What is known of one stream; shared by the proxy and its finalizer, and never holding the proxy."""

    __slots__ = ("call", "finished", "inner", "pending", "reader")

    def __init__(self, call: OpenCall, inner: Any, reader: StreamReader) -> None:
        self.call = call
        self.inner = inner
        self.reader = reader
        self.pending: list[Any] = []
        self.finished = False

    # -- while chunks come ---------------------------------------------------------------------------------
    @guarded("stream")
    def look_ahead_after(self, chunk: Any) -> bool:
        """Take note of a chunk; true if the next one may be the usage that litespan asked for."""
        call = self.call
        if call.record.time_to_first_chunk is None:
            call.first_chunk()
        if call.asked_for_usage:
            self.reader.hide_asking(chunk)
        else:
            # Who asked by themselves get the usage as LiteLLM delivers it: on a chunk of its own.
            fill_cache_writes(read(chunk, "usage"))
        is_last = self.reader.is_last(chunk)
        self.finished = self.finished or is_last
        return is_last and call.asked_for_usage

    @guarded("stream")
    def is_extra(self, following: Any) -> bool:
        """Say whether a chunk exists only because litespan asked for the usage."""
        return not isinstance(following, _End) and self.reader.is_usage_only(following)

    @guarded("stream")
    def take(self, chunk: Any, following: Any) -> None:
        """Take note of the end, or of an extra chunk, whose usage goes onto this one."""
        if not isinstance(following, _End):
            if self.reader.reported_usage(self.inner) is not None:
                _move_usage(following, chunk)
            self.complete()
        elif isinstance(following.error, (StopIteration, StopAsyncIteration)):
            self.complete()

    @guarded("stream")
    def stop_asking(self) -> None:
        """Let LiteLLM deliver no extra chunk: without the look-ahead the program would see it."""
        stop_asking(self.inner)

    # -- ends ----------------------------------------------------------------------------------------------
    def complete(self) -> None:
        """End the call: the stream is at its end, or everything that matters of it has arrived."""
        cut = not self.reader.arrived_whole(self.inner, finished=self.finished)
        probe = self.call.probe
        if cut or (probe is not None and probe.cut):
            self.call.record.failure = records.Failure(type=records.INCOMPLETE)
            self._end(records.INCOMPLETE)
        else:
            self._end(records.OK)

    at_end = guarded("stream")(complete)

    @guarded("stream")
    def failed(self, error: BaseException) -> None:
        """End the call with an exception of the stream; what had arrived is kept."""
        self.reader.fill(self.call.record, self.inner)
        self.call.failed(error)

    @guarded("stream")
    def closed(self) -> None:
        """End the call of a stream that nobody reads any more."""
        if self.call.closed:
            return
        if self.finished:
            self.complete()
        else:
            self._end(records.ABANDONED)

    def _end(self, outcome: str) -> None:
        if self.call.closed:
            return
        self.reader.fill(self.call.record, self.inner)
        self.call.ended(outcome)

    @guarded("stream")
    def drop_error_after_finish(self, error: BaseException) -> bool:
        """Say whether an error exists only because the stream was read further than the program would have.

        Seen with Anthropic over httpx when the connection is cut after ``message_delta``: without the usage
        option LiteLLM does not read on.
        """
        return self.call.record.litellm_provider == "anthropic" and mapping.was_cut(error)


def _move_usage(following: Any, chunk: Any) -> None:
    usage = following.usage
    fill_cache_writes(usage)
    chunk.usage = usage
    hidden = read(chunk, "_hidden_params")
    if isinstance(hidden, dict):
        hidden.setdefault("usage", usage)


def stop_asking(inner: Any) -> None:
    """Take the wish for a usage chunk back from a stream of LiteLLM that has begun (litellm 1.83.0)."""
    if hasattr(inner, "send_stream_usage"):
        inner.send_stream_usage = False


class Stream(wrapt.ObjectProxy):  # type: ignore[type-arg]  # not generic before wrapt 2
    """LiteLLM's stream object to the program, an observer to litespan.

    ``isinstance`` and all attributes are the inner object's; ``type()``, ``repr()``, copying and pickling
    differ.
    """

    def __init__(self, inner: Any, state: StreamState) -> None:
        super().__init__(inner)
        self._self_state = state
        self._self_anext: Callable[[], Any] | None = getattr(inner, "__anext__", None)
        self._self_next: Callable[[], Any] | None = getattr(inner, "__next__", None)
        state.call.record.settle = state.closed
        # A plain stream that a program stops reading is never closed; only its disappearance tells.
        weakref.finalize(self, state.call.end_later, state.closed).atexit = False

    def __aiter__(self) -> Stream:
        """Iterate over the proxy: the inner object's own iterator would not be seen."""
        return self

    def __iter__(self) -> Stream:
        """Iterate over the proxy."""
        return self

    async def __anext__(self) -> Any:
        """Return the next chunk."""
        state = self._self_state
        chunk = _pop(state) if state.pending else await self._read_async(state)
        if not _looks_ahead(state, chunk):
            return chunk
        try:
            with state.call:
                following = await self._self_anext()  # type: ignore[misc]
        except StopAsyncIteration as end:
            _keep(state, chunk, _End(end))
        except Exception as error:  # noqa: BLE001 - kept, and raised to the program at its next read
            _keep(state, chunk, _kept(state, error, StopAsyncIteration()))
        except BaseException as error:
            state.failed(error)
            raise
        else:
            _keep(state, chunk, following)
        return chunk

    async def _read_async(self, state: StreamState) -> Any:
        try:
            with state.call:
                return await self._self_anext()  # type: ignore[misc]
        except StopAsyncIteration:
            state.at_end()
            raise
        except BaseException as error:
            state.failed(error)
            raise

    def __next__(self) -> Any:
        """Return the next chunk."""
        state = self._self_state
        chunk = _pop(state) if state.pending else self._read(state)
        if not _looks_ahead(state, chunk):
            return chunk
        try:
            with state.call:
                following = self._self_next()  # type: ignore[misc]
        except StopIteration as end:
            _keep(state, chunk, _End(end))
        except Exception as error:  # noqa: BLE001 - kept, and raised to the program at its next read
            _keep(state, chunk, _kept(state, error, StopIteration()))
        else:
            _keep(state, chunk, following)
        return chunk

    def _read(self, state: StreamState) -> Any:
        try:
            with state.call:
                return self._self_next()  # type: ignore[misc]
        except StopIteration:
            state.at_end()
            raise
        except BaseException as error:
            state.failed(error)
            raise

    async def aclose(self) -> None:
        """Close the inner stream; whatever was not read by then is abandoned."""
        self._self_state.closed()
        await self.__wrapped__.aclose()


def _looks_ahead(state: StreamState, chunk: Any) -> bool:
    ahead = state.look_ahead_after(chunk)
    if ahead is None:
        state.stop_asking()
    return bool(ahead)


def _keep(state: StreamState, chunk: Any, following: Any) -> None:
    """Keep what a look-ahead found for the program's next read, unless it is the extra chunk."""
    extra = state.is_extra(following)
    if extra is None:  # our look at it failed: LiteLLM's own note decides, so that no chunk is lost or added
        extra = getattr(state.inner, "sent_stream_usage", False) is True
    if not extra:
        state.pending.append(following)
    if extra or isinstance(following, _End):
        state.take(chunk, following)


def _kept(state: StreamState, error: BaseException, end: BaseException) -> _End:
    return _End(end if state.drop_error_after_finish(error) else error)


def _pop(state: StreamState) -> Any:
    kept = state.pending.pop(0)
    if not isinstance(kept, _End):
        return kept
    if not isinstance(kept.error, (StopIteration, StopAsyncIteration)):
        state.failed(kept.error)
    raise kept.error
