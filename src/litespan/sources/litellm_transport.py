"""The transport probe: what LiteLLM's HTTP transport knows and LiteLLM hides.

``LiteLLMAiohttpTransport`` sees each HTTP attempt, and ``AiohttpResponseStream`` swallows the error of a
connection that was cut in mid-stream (litellm 1.83.0), or raises it into LiteLLM, which may ask again
(1.110.2). The probe only observes. It hooks private classes, so it installs only where they look as expected;
elsewhere attempts and cuts are unknown.
It can go when LiteLLM reports both itself.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Final, Protocol

from litespan.guard import guarded, guarded_two
from litespan.sources.patching import Patches

_MODULE: Final = "litellm.llms.custom_httpx.aiohttp_transport"
_PROBE: Final = "_litespan_probe"
FIRST_ERROR: Final = 400  # among the HTTP statuses

# aiohttp's errors, below those that the transport raises, which come after the whole request went out. Others
# may come before, as a connection that was never made.
_TIMED_OUT: Final = "SocketTimeoutError"
_UNANSWERED: Final = frozenset({"ServerDisconnectedError", _TIMED_OUT})


class Probe:
    """Facts of one model call's HTTP traffic. ``attempts`` counts requests made through the transport.

    ``answer`` is the last request's HTTP response; its body is known once LiteLLM has read it. ``cut`` says
    that this body broke off, ``unanswered`` that the last request went out and got none, ``timed_out`` that
    an answer or the rest of one did not come in time, ``interrupted`` that the program cancelled it. ``lost``
    counts the requests that were cut or unanswered when the next one was made.
    """

    __slots__ = (
        "answer",
        "attempts",
        "cut",
        "host",
        "interrupted",
        "lost",
        "port",
        "timed_out",
        "unanswered",
    )

    def __init__(self) -> None:
        self.answer: Any = None
        self.attempts = 0
        self.cut = False
        self.unanswered = False
        self.timed_out = False
        self.interrupted = False
        self.lost = 0
        self.host: str | None = None
        self.port: int | None = None

    def begin_attempt(self) -> None:
        """Count a request. What became of the one before is settled by now."""
        broken = self.cut and self.answer.status_code < FIRST_ERROR
        self.lost += broken or self.unanswered
        self.attempts += 1
        self.cut = self.unanswered = self.timed_out = self.interrupted = False
        self.answer = None


class Probed(Protocol):
    """What holds the probe of a call, if there is one: the open call itself."""

    probe: Probe | None


# One variable for the open call and its probe: it is set and reset at every chunk of a stream.
current: ContextVar[Any] = ContextVar("litespan_open_call", default=None)


async def _handle_request(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    call: Probed | None = current.get()
    probe = call.probe if call is not None else None
    if probe is None:
        return await wrapped(*args, **kwargs)
    request = args[0] if args else kwargs.get("request")
    _note_attempt(probe, request)
    try:
        response = await wrapped(*args, **kwargs)
    except BaseException as error:
        _note_no_answer(probe, request, error)
        raise
    _note_answer(probe, response)
    return response


@guarded_two("transport probe")
def _note_attempt(probe: Probe, request: Any) -> None:
    probe.begin_attempt()
    probe.host = request.url.host
    probe.port = request.url.port or {"http": 80, "https": 443}.get(request.url.scheme)


@guarded_two("transport probe")
def _note_answer(probe: Probe, response: Any) -> None:
    setattr(response.stream, _PROBE, probe)
    probe.answer = response


@guarded("transport probe")
def _note_no_answer(probe: Probe, request: Any, error: BaseException) -> None:
    """Note a request that brought no answer; only what is posted asks a model."""
    probe.interrupted = isinstance(error, CancelledError)
    below = type(error.__cause__).__name__
    probe.unanswered = request.method == "POST" and below in _UNANSWERED
    probe.timed_out = below == _TIMED_OUT


def _iterate(wrapped: Any, instance: Any, _args: Any, _kwargs: Any) -> Any:
    probe = getattr(instance, _PROBE, None)
    return wrapped() if probe is None else _observe(wrapped(), instance, probe)


async def _observe(body: Any, stream: Any, probe: Probe) -> AsyncIterator[bytes]:
    """Pass a response body through and note, right at its end, whether the connection broke.

    Later is too late: once the response is closed, good streams show an error as well.
    """
    try:
        async for chunk in body:
            yield chunk
        _note_end(stream, probe)
    except Exception:  # newer versions of LiteLLM raise what 1.83.0 swallows
        _note_end(stream, probe)
        raise
    finally:
        await body.aclose()


@guarded_two("transport probe")
def _note_end(stream: Any, probe: Probe) -> None:
    error = stream._aiohttp_response.content.exception()  # noqa: SLF001 - the only place that tells
    probe.timed_out = type(error).__name__ == _TIMED_OUT
    probe.cut = type(error).__name__ in ("ClientPayloadError", "ServerDisconnectedError", "ClientOSError")


_HOOKS: Final = (
    ("LiteLLMAiohttpTransport", "handle_async_request", _handle_request),
    ("AiohttpResponseStream", "__aiter__", _iterate),
)


def install(patches: Patches) -> bool:
    """Hook the transport; false where it is not the one that the probe was made for."""
    try:
        module = import_module(_MODULE)
    except ImportError:
        return False
    if not all(method in vars(getattr(module, name, object)) for name, method, _ in _HOOKS):
        return False
    for name, method, hook in _HOOKS:
        patches.wrap(getattr(module, name), method, hook)
    return True
