"""Copies of real runs, as many as a test needs: the same spans under other ids, at other times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.scale.runs import Run
from tools.sizing.spans import UNIQUE


@dataclass(frozen=True)
class Copy:
    """A run that looks as if it had ended at another time, and taken up to a tenth longer.

    Attributes:
        seed: all ids but the trace's, and how much longer it took, are drawn from it.
        end: when its last span ends, in nanoseconds since the epoch.
    """

    run: Run
    trace_id: bytes
    seed: int
    end: int

    def spans(self) -> Sequence[Span]:
        """Return the spans, the root last, as it ends last; the same ones each time."""
        ids, times = _Ids(self.seed), _Times(self.run.spans, self.seed, self.end)
        spans = [self._copied(span, ids, times) for span in self.run.spans]
        return sorted(spans, key=lambda span: not span.parent_span_id)

    def _copied(self, span: Span, ids: _Ids, times: _Times) -> Span:
        copied = Span()
        copied.CopyFrom(span)
        copied.trace_id = self.trace_id
        copied.span_id = ids.of_span(span.span_id)
        copied.parent_span_id = ids.of_span(span.parent_span_id)
        copied.start_time_unix_nano = times.of(span.start_time_unix_nano)
        copied.end_time_unix_nano = times.of(span.end_time_unix_nano)
        for event in copied.events:
            event.time_unix_nano = times.of(event.time_unix_nano)
        for pair in copied.attributes:
            if pair.key in UNIQUE:
                pair.value.string_value = ids.of_text(pair.value.string_value)
        return copied


class _Ids:
    """New ids for old ones: the same for the same, as long, and drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self._draw = Random(seed)  # noqa: S311 - ids, not secrets
        self._spans: dict[bytes, bytes] = {b"": b""}
        self._texts: dict[str, str] = {"": ""}

    def of_span(self, old: bytes) -> bytes:
        if old not in self._spans:
            self._spans[old] = self._draw.randbytes(len(old))
        return self._spans[old]

    def of_text(self, old: str) -> str:
        if old not in self._texts:
            self._texts[old] = f"{self._draw.getrandbits(4 * len(old)):0{len(old)}x}"
        return self._texts[old]


class _Times:
    """New times for old ones, in nanoseconds: the last end at ``end``, all before it further apart."""

    def __init__(self, spans: Sequence[Span], seed: int, end: int) -> None:
        self._ended = max(span.end_time_unix_nano for span in spans)
        self._stretch = 1 + (seed % 1_000_003) / 10_000_030
        self._end = end

    def of(self, old: int) -> int:
        return self._end - round((self._ended - old) * self._stretch)


def copy_run(run: Run, draw: Random, end: int) -> Copy:
    """Return a copy that ends at ``end``, in nanoseconds since the epoch."""
    return Copy(run, draw.randbytes(16), draw.getrandbits(64), end)
