"""Transparent proxies around LiteLLM's streams: to the program the stream itself, an observer to litespan."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from litespan.sources.litellm_stream import DROPPED, End, StreamState

# What Python or the proxy itself needs on its own type; a finalizer of the stream runs for the stream.
_OF_THE_PROXY: Final = frozenset(
    {
        "__class__",
        "__class_getitem__",
        "__del__",
        "__delattr__",
        "__getattr__",
        "__getattribute__",
        "__init__",
        "__init_subclass__",
        "__new__",
        "__setattr__",
        "__subclasshook__",
    }
)


class _Stream:
    """LiteLLM's stream object to the program, an observer to litespan.

    All attributes are the inner object's, and what that one has not is not here either: programs ask
    ``hasattr(stream, "aclose")``. Only ``type()`` differs.
    """

    def __init__(self, inner: Any, state: StreamState) -> None:
        keep = object.__setattr__
        keep(self, "_self_inner", inner)
        keep(self, "_self_state", state)
        keep(self, "_self_anext", getattr(inner, "__anext__", None))
        keep(self, "_self_next", getattr(inner, "__next__", None))
        state.call.record.settle = state.closed
        # A plain stream that a program stops reading is never closed; only its disappearance tells.
        weakref.finalize(self, state.vanished).atexit = False

    @property  # type: ignore[misc]  # what sets it sets the inner object's
    def __class__(self) -> Any:
        """Be an instance of whatever the inner object is one of."""
        return self._self_inner.__class__

    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # what sets it sets the inner object's
        """Return the inner object's variables."""
        return self._self_inner.__dict__

    def __getattr__(self, name: str) -> Any:
        """Read an attribute of the inner object."""
        return getattr(self._self_inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute of the inner object."""
        setattr(self._self_inner, name, value)

    def __delattr__(self, name: str) -> None:
        """Delete an attribute of the inner object."""
        delattr(self._self_inner, name)


class AsyncStream(_Stream):
    """A stream that is read with ``async for``."""

    def __aiter__(self) -> AsyncStream:
        """Iterate over the proxy: the inner object's own iterator would not be seen."""
        return self

    async def __anext__(self) -> Any:  # noqa: C901 - one coroutine for a chunk, see below
        """Return the next chunk."""
        state = self._self_state
        while True:
            if state.pending:
                chunk = _pop(state)
            else:
                # Not in a method of its own: a coroutine for every chunk costs as much as all else here.
                try:
                    with state.call:
                        chunk = await self._self_anext()
                except StopAsyncIteration:
                    state.at_end()
                    raise
                except BaseException as error:
                    state.failed(error)
                    raise
            ahead = state.look_ahead_after(chunk)
            if ahead is not DROPPED:
                break
        if not ahead:
            return chunk if ahead is not None else _unobserved(state, chunk)
        try:
            with state.call:
                following = await self._self_anext()
        except StopAsyncIteration as end:
            _keep(state, chunk, End(end))
        except Exception as error:  # noqa: BLE001 - kept, and raised to the program at its next read
            _keep(state, chunk, _kept(state, error, StopAsyncIteration()))
        except BaseException as error:
            _interrupted(state, chunk, error)
            raise
        else:
            _keep(state, chunk, following)
        return chunk


class BlockingStream(_Stream):
    """A stream that is read with ``for``."""

    def __iter__(self) -> BlockingStream:
        """Iterate over the proxy."""
        return self

    def __next__(self) -> Any:
        """Return the next chunk."""
        state = self._self_state
        while True:
            chunk = _pop(state) if state.pending else self._read(state)
            ahead = state.look_ahead_after(chunk)
            if ahead is not DROPPED:
                break
        if not ahead:
            return chunk if ahead is not None else _unobserved(state, chunk)
        try:
            with state.call:
                following = self._self_next()
        except StopIteration as end:
            _keep(state, chunk, End(end))
        except Exception as error:  # noqa: BLE001 - kept, and raised to the program at its next read
            _keep(state, chunk, _kept(state, error, StopIteration()))
        except BaseException as error:
            _interrupted(state, chunk, error)
            raise
        else:
            _keep(state, chunk, following)
        return chunk

    def _read(self, state: StreamState) -> Any:
        try:
            with state.call:
                return self._self_next()
        except StopIteration:
            state.at_end()
            raise
        except BaseException as error:
            state.failed(error)
            raise


class ClosableStream(_Stream):
    """A stream that a program may close with ``await``; many of LiteLLM's have no such method."""

    async def aclose(self) -> None:
        """Close the inner stream; whatever was not read by then is abandoned."""
        self._self_state.closed()
        await self._self_inner.aclose()


class ShutStream(_Stream):
    """A stream that a program may close without ``await``; LiteLLM's own have that from 1.110 on."""

    def close(self) -> Any:
        """Close the inner stream; whatever was not read by then is abandoned."""
        self._self_state.closed()
        return self._self_inner.close()


class AsyncBlockStream(_Stream):
    """A stream that an ``async with`` block closes; LiteLLM's own are such from 1.110 on."""

    async def __aenter__(self) -> AsyncBlockStream:
        """Begin a block that reads the proxy: the inner object would not be seen."""
        await self._self_inner.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> Any:
        """Close the inner stream, or whatever it does at the end of a block."""
        self._self_state.closed()
        return await self._self_inner.__aexit__(*error)


class BlockStream(_Stream):
    """A stream that a ``with`` block closes."""

    def __enter__(self) -> BlockStream:
        """Begin a block that reads the proxy."""
        self._self_inner.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        """Close the inner stream, or whatever it does at the end of a block."""
        self._self_state.closed()
        return self._self_inner.__exit__(*error)


# Which proxy has the method that a stream has.
_PROXIES: Final = (
    ("__anext__", AsyncStream),
    ("__next__", BlockingStream),
    ("aclose", ClosableStream),
    ("close", ShutStream),
    ("__aenter__", AsyncBlockStream),
    ("__enter__", BlockStream),
)


def observed(inner: Any, state: StreamState) -> Any:
    """Return a proxy that can do what the stream itself can, and nothing else."""
    return _proxy_of(type(inner))(inner, state)  # type: ignore[arg-type]  # a type is hashable


@lru_cache(maxsize=64)
def _proxy_of(stream: type) -> type[_Stream]:
    """Return the type of the proxies of a type of streams; it has that one's name."""
    bases = tuple(proxy for method, proxy in _PROXIES if hasattr(stream, method))
    names = {name for name in dir(stream) if name.startswith("__") and callable(getattr(stream, name))}
    taken = _OF_THE_PROXY.union(*map(vars, bases))
    methods = {name: _inner_method(name) for name in names - taken}
    described = {
        "__doc__": stream.__doc__,
        "__module__": stream.__module__,
        "__qualname__": stream.__qualname__,
    }
    return type(stream.__name__, bases, {**methods, **described})


def _inner_method(name: str) -> Callable[..., Any]:
    """Return a method that Python itself looks up on a type, such as ``__repr__``, for the inner object."""

    def method(self: _Stream, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._self_inner, name)(*args, **kwargs)

    return method


def _unobserved(state: StreamState, chunk: Any) -> Any:
    """Return a chunk of which litespan could take no note, and see to it that no extra chunk follows."""
    state.stop_asking()
    return chunk


def _keep(state: StreamState, chunk: Any, following: Any) -> None:
    """Keep what a look-ahead found for the program's next read, unless it is the extra chunk."""
    extra = state.is_extra(following)
    if extra is None:  # our look at it failed: LiteLLM's own note decides, so that no chunk is lost or added
        asked = state.call.asked_of is not None
        extra = asked and getattr(state.inner, "sent_stream_usage", False) is True
    if not extra:
        state.pending.append(following)
    if extra or isinstance(following, End):
        state.take(chunk, following)


def _interrupted(state: StreamState, chunk: Any, error: BaseException) -> None:
    """End the call of a program that is stopped, and keep the chunk that it would have by now.

    The interruption itself cannot wait for the next read: there may be none.
    """
    state.pending.append(chunk)
    state.failed(error)


def _kept(state: StreamState, error: BaseException, end: BaseException) -> End:
    return End(end if state.drop_error_after_finish(error) else error)


def _pop(state: StreamState) -> Any:
    kept = state.pending.pop(0)
    if not isinstance(kept, End):
        return kept
    if not isinstance(kept.error, (StopIteration, StopAsyncIteration)):
        state.failed(kept.error)
    try:
        raise kept.error
    finally:
        del kept  # whose exception holds this frame: together they would keep the stream
