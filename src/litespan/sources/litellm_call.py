"""One open LiteLLM call: from its arguments to its end, whichever way it ends.

An :class:`OpenCall` lives in a context variable while LiteLLM runs, so that calls which LiteLLM makes inside
are not taken for calls of the program. It is closed when the call ends: a context copied from it nests
nothing later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any

from litespan import records
from litespan.guard import guarded, guarded_one, guarded_two
from litespan.position import Position
from litespan.recorder import Recorder
from litespan.records import ModelCall, SpanHandle
from litespan.sources import litellm_answer, litellm_secrets, litellm_transport, span_facts
from litespan.sources import litellm_failures as failures
from litespan.sources import litellm_mapping as mapping
from litespan.sources.litellm_bedrock import split_cache_writes
from litespan.sources.litellm_guesses import take_out_guesses
from litespan.sources.litellm_inner import Inner, ask_another, take_usage
from litespan.sources.litellm_partial_hits import take_back_hit
from litespan.sources.litellm_transport import FIRST_ERROR
from litespan.sources.litellm_usage import fill_cache_writes, read, reader

current: ContextVar[OpenCall | None] = litellm_transport.current


@guarded_one("call source")
def _attach(handle: SpanHandle) -> object:
    return handle.attach()


@guarded_two("call source")
def _detach(handle: SpanHandle, token: object) -> None:
    handle.detach(token)


class OpenCall:
    """A model call in flight. Its methods are called from the host's path, so none of them raises.

    Attributes:
        asking: the program's arguments with an option that asks for the usage of a stream, where it does not
            ask itself.
        asked_of: the endpoint and model that get this option.
        asked_anyway: LiteLLM would ask for the usage itself, going by ``own_options``.
        own_options: the program's ``stream_options``.
        cache_key: that of LiteLLM's cache for the program's own request, without the option.
        custom: the provider is one of the program's own.
        inner: the answer of a call that LiteLLM makes inside.
        estimated: LiteLLM has counted the tokens.
        secrets: texts that no telemetry may quote; ``None`` where they are not known.

    What holds a prompt, a key or an answer goes when the call ends.
    """

    __slots__ = (
        "_left_ns",
        "_position",
        "_recorder",
        "_span_token",
        "_token",
        "asked_anyway",
        "asked_of",
        "asking",
        "cache_key",
        "closed",
        "custom",
        "estimated",
        "inner",
        "own_options",
        "probe",
        "record",
        "secrets",
    )

    def __init__(
        self, recorder: Recorder, record: ModelCall, position: Position | None, *, custom: bool, probing: bool
    ) -> None:
        self._recorder = recorder
        self._position = position
        self._token: Token[Any] | None = None
        self._span_token: object = None
        self.record = record
        self.custom = custom
        self.probe = litellm_transport.Probe() if probing else None
        self.asking: dict[str, Any] | None = None
        self.asked_of: str | None = None
        self.asked_anyway = False
        self.own_options: Mapping[str, Any] | None = None
        self.cache_key: str | None = None
        self.inner: Inner | None = None
        self.secrets: tuple[str, ...] | None = None
        self.estimated = False
        self.closed = False
        self._left_ns: int | None = None

    # -- around the host's code ----------------------------------------------------------------------------
    def __enter__(self) -> OpenCall:
        """Make this call and its span current; always undone in the same task before a yield.

        A second reader of a stream, in another thread or task, only waits for the first one: nothing is set
        there, so that there is nothing to mix up.
        """
        if self._token is None:
            self._token = current.set(self)
            if self.record.handle is not None:
                self._span_token = _attach(self.record.handle)
        return self

    def __exit__(self, _type: object, _error: object, _traceback: object) -> None:
        """Undo ``__enter__``."""
        token, span = self._token, self._span_token
        if token is None:
            return
        try:
            current.reset(token)
        except (ValueError, RuntimeError):
            # A second reader, or closed in another context, as the garbage collector does; a RuntimeError
            # says that the first reader is leaving in its thread right now.
            return
        self._token = self._span_token = None
        if span is not None and self.record.handle is not None:
            _detach(self.record.handle, span)

    @property
    def mocked(self) -> bool:
        """Whether LiteLLM makes the answer up. Some calls ignore that wish; their requests are seen."""
        return self.record.mocked and not (self.probe is not None and self.probe.attempts)

    # -- ends ----------------------------------------------------------------------------------------------
    @guarded_two("call source")
    def returned(self, response: Any) -> None:
        """End the call with a whole response."""
        if self.closed:
            return
        try:
            self._fill(response)
        finally:
            self._end(records.OK)  # also of an answer that cannot be read: a call is never left open

    def _fill(self, response: Any) -> None:
        mapping.fill_from_response(self.record, response)
        if self.inner is not None:
            self.take_inner()
        if self.record.cache_hit:
            take_back_hit(self.record, response, self.probe)
        usage = self.record.usage
        # Most write nothing to a cache. One that contradicts itself may have lost that count.
        if usage is not None and (usage.cache_write_tokens or usage.unrated):
            fill_cache_writes(reader(response)("usage"))
        answer = self.probe.answer if self.probe is not None else None
        take_out_guesses(self.record, answer)
        split_cache_writes(self.record, answer)
        if self.record.captures_content:
            self.record.output = litellm_answer.choices(response)

    def take_inner(self) -> None:
        """Correct the usage by the answer of the call that LiteLLM made inside, if it did."""
        if self.inner is not None:
            take_usage(self.record, self.inner)

    def ask_another(self, asked: ModelCall, secrets: tuple[str, ...] | None, *, custom: bool) -> None:
        """Note that LiteLLM asks another model; what authenticates that is secret as well."""
        ask_another(self.record, asked)
        self.custom = custom
        if self.secrets is not None:
            self.secrets = None if secrets is None else (*self.secrets, *secrets)

    @guarded("call source")
    def failed(self, error: BaseException) -> None:
        """End the call with the exception that the program is about to see."""
        if self.closed:
            return
        outcome = records.ERROR
        try:
            if failures.was_cancelled(error) or self._was_interrupted(error):
                outcome = records.ABANDONED if isinstance(error, GeneratorExit) else records.CANCELLED
            else:
                cut = self._had_begun and failures.was_cut(error)
                outcome = records.INCOMPLETE if cut else records.ERROR
                self.record.failure = records.Failure(type=records.exception_type(type(error)))
                self.record.failure = self._failure(error, cut=cut)
                self.record.attempts = failures.attempts_from(error)
                self.record.timed_out = failures.has_timed_out(error)
        finally:
            self._end(outcome)

    def _was_interrupted(self, error: BaseException) -> bool:
        """Say whether an error is what LiteLLM made of a cancellation, as of calls to Azure (litellm 1.83.0).

        It cancels requests itself when they take too long.
        """
        return self.probe is not None and self.probe.interrupted and not failures.has_timed_out(error)

    @property
    def _had_begun(self) -> bool:
        """Whether a part of a streamed answer had arrived, if only what comes before its first chunk."""
        if self.record.time_to_first_chunk is not None:
            return True
        broken = self.probe is not None and self.probe.cut
        return self.record.stream and broken and self._answer_status < FIRST_ERROR

    def _failure(self, error: BaseException, *, cut: bool) -> records.Failure:
        """Return what may be said of an exception; its text only where content and the secrets are known."""
        with_message = self.record.captures_content and self.secrets is not None
        failure = failures.failure_from(error, with_message=with_message, cut=cut)
        original = read(error, "original_exception")
        if isinstance(original, BaseException):  # LiteLLM says that a stream broke in the middle
            if self._answer_status >= FIRST_ERROR:
                # The provider has refused it.
                failure.exception = type(original).__name__
                failure.status = failures.failure_from(original, with_message=False).status
            elif failure.code is not None:
                # The provider has told in the stream that it failed. The status is LiteLLM's (1.110.2).
                failure.status = None
        if failure.message is not None:
            sent = litellm_secrets.of_sent(read(self.probe, "answer"))
            # A client of the program's own has no probe, nor have calls that block.
            raised = litellm_secrets.of_errors(failures.chain(error))
            secrets = (*(self.secrets or ()), *sent, *raised, *litellm_secrets.of_process())
            failure.message = litellm_secrets.without(failure.message, secrets)
        return failure

    def _end(self, outcome: str) -> None:
        self.closed = True
        # The answer itself may say that the provider failed. It has come whole, and so has its usage.
        failed = outcome == records.OK and self.record.failure is not None
        self.record.outcome = records.ERROR if failed else outcome
        try:
            self._note_traffic()
            self._note_usage(outcome)
        finally:
            self._recorder.end(self.record, self._left_ns)
            self._annotate()
            self._let_go()

    def _let_go(self) -> None:
        """Drop the prompt, the keys and the answer: a loop's timers keep contexts, and these keep a call."""
        if self.probe is not None:
            self.probe.answer = None  # which holds the probe
        self.probe = self.asking = self.secrets = self.inner = self._position = None

    def _note_traffic(self) -> None:
        record = self.record
        if self.probe is not None and self.probe.attempts:
            record.attempts = self.probe.attempts
            record.lost_attempts = self.probe.lost
            record.cut = self.probe.cut
            record.timed_out = record.timed_out or self.probe.timed_out
            if record.outcome == records.ERROR:
                record.refused = self._answer_status >= FIRST_ERROR and record.time_to_first_chunk is None
            seen = (self.probe.host, self.probe.port)
            if seen != (record.server_address, record.server_port):
                record.server_address, record.server_port = seen
                record.server_learned = True
        record.usage_elsewhere = self.custom and bool((record.whole or record).inner_tokens)

    def _note_usage(self, outcome: str) -> None:
        record = self.record
        if record.mocked or self.estimated:
            record.usage = None
        if outcome != records.OK and record.usage is not None:
            record.usage.complete = False
        if outcome == records.ERROR:
            self._drop_invented_status()
        record.usage_missing_reason = failures.missing_reason(record)

    def _drop_invented_status(self) -> None:
        """Take back an HTTP status that reads as a refusal where the provider sent none, and may bill.

        LiteLLM says 400, 422 or 500 of answers that it cannot read and of connections that were lost, 429 of
        some that took too long.
        """
        record = self.record
        if record.failure is None or failures.billing_doubt(record.failure) is not None:
            return
        begun = 0 < self._answer_status < FIRST_ERROR or record.time_to_first_chunk is not None
        if begun or record.timed_out or (self.probe is not None and self.probe.unanswered):
            record.failure.status = None

    @property
    def _answer_status(self) -> int:
        """Return the HTTP status of the answer to the last request; 0 where it is not known."""
        answer = self.probe.answer if self.probe is not None else None
        return read(answer, "status_code") or 0

    def _annotate(self) -> None:
        """Tell the SDK's own span, if it is there for this call."""
        if self._position is not None and (facts := span_facts.of_call(self.record)):
            self._position.annotate(facts)

    # -- streams -------------------------------------------------------------------------------------------
    def first_chunk(self) -> None:
        """Note the time to the first chunk."""
        waited = self._recorder.clock() - self.record.start_ns
        self.record.time_to_first_chunk = max(0, waited) / 1e9  # the clock may have been set back

    def ended(self, outcome: str) -> None:
        """End a streamed call whose record is filled."""
        if not self.closed:
            self._end(outcome)

    @guarded("call source")
    def end_later(self, end: Callable[[], None]) -> None:
        """Have a call ended at the next safe moment, with the time of now; for finalizers."""
        if not self.closed:
            self._left_ns = self._recorder.clock()
            self._recorder.defer(end)
