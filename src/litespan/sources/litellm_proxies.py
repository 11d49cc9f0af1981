"""Transparent proxies around LiteLLM's streams: to the program the stream itself, an observer to litespan."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import wrapt

from litespan.sources.litellm_stream import End, StreamState


class _Stream(wrapt.ObjectProxy):  # type: ignore[type-arg]  # not generic before wrapt 2
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


class AsyncStream(_Stream):
    """A stream that is read with ``async for``."""

    def __aiter__(self) -> AsyncStream:
        """Iterate over the proxy: the inner object's own iterator would not be seen."""
        return self

    async def __anext__(self) -> Any:
        """Return the next chunk."""
        state = self._self_state
        if state.pending:
            chunk = _pop(state)
        else:
            # Not in a method of its own: a coroutine for every chunk costs as much as all else here.
            try:
                with state.call:
                    chunk = await self._self_anext()  # type: ignore[misc]
            except StopAsyncIteration:
                state.at_end()
                raise
            except BaseException as error:
                state.failed(error)
                raise
        ahead = state.look_ahead_after(chunk)
        if not ahead:
            return chunk if ahead is not None else _unobserved(state, chunk)
        try:
            with state.call:
                following = await self._self_anext()  # type: ignore[misc]
        except StopAsyncIteration as end:
            _keep(state, chunk, End(end))
        except Exception as error:  # noqa: BLE001 - kept, and raised to the program at its next read
            _keep(state, chunk, _kept(state, error, StopAsyncIteration()))
        except BaseException as error:
            state.failed(error)
            raise
        else:
            _keep(state, chunk, following)
        return chunk

    async def aclose(self) -> None:
        """Close the inner stream; whatever was not read by then is abandoned."""
        self._self_state.closed()
        await self.__wrapped__.aclose()


class BlockingStream(_Stream):
    """A stream that is read with ``for``."""

    def __iter__(self) -> BlockingStream:
        """Iterate over the proxy."""
        return self

    def __next__(self) -> Any:
        """Return the next chunk."""
        state = self._self_state
        chunk = _pop(state) if state.pending else self._read(state)
        ahead = state.look_ahead_after(chunk)
        if not ahead:
            return chunk if ahead is not None else _unobserved(state, chunk)
        try:
            with state.call:
                following = self._self_next()  # type: ignore[misc]
        except StopIteration as end:
            _keep(state, chunk, End(end))
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


class EitherStream(AsyncStream, BlockingStream):
    """LiteLLM's chat stream, which can be read in both ways."""


def observed(inner: Any, state: StreamState) -> Any:
    """Return the proxy that can be read in the ways in which the stream itself can."""
    if not hasattr(inner, "__next__"):
        return AsyncStream(inner, state)
    return EitherStream(inner, state) if hasattr(inner, "__anext__") else BlockingStream(inner, state)


def _unobserved(state: StreamState, chunk: Any) -> Any:
    """Return a chunk of which litespan could take no note, and see to it that no extra chunk follows."""
    state.stop_asking()
    return chunk


def _keep(state: StreamState, chunk: Any, following: Any) -> None:
    """Keep what a look-ahead found for the program's next read, unless it is the extra chunk."""
    extra = state.is_extra(following)
    if extra is None:  # our look at it failed: LiteLLM's own note decides, so that no chunk is lost or added
        extra = getattr(state.inner, "sent_stream_usage", False) is True
    if not extra:
        state.pending.append(following)
    if extra or isinstance(following, End):
        state.take(chunk, following)


def _kept(state: StreamState, error: BaseException, end: BaseException) -> End:
    return End(end if state.drop_error_after_finish(error) else error)


def _pop(state: StreamState) -> Any:
    kept = state.pending.pop(0)
    if not isinstance(kept, End):
        return kept
    if not isinstance(kept.error, (StopIteration, StopAsyncIteration)):
        state.failed(kept.error)
    raise kept.error
