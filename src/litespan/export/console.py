"""Print each trace as a tree when its first span has ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from rich.console import Console

from litespan.export.host_console import HostConsole
from litespan.export.ledger import NO_ROOT
from litespan.export.tree_view import TreeView, rows_from_spans

_MAX_SPANS: Final = 10_000
_MAX_AGE: Final = 3_600.0


class ConsoleSpanExporter(SpanExporter):
    """Prints a tree per trace, to standard output unless another console is given.

    The tree is printed when the trace's local root ends: the span without a parent in this process. Spans are
    held until then; those of the trace that waits longest are given up when ``max_spans`` are held, or after
    ``max_age`` seconds, and ``on_drop`` is called with the reason and the number of spans.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        max_spans: int = _MAX_SPANS,
        max_age: float = _MAX_AGE,
        on_drop: Callable[[str, int], None] | None = None,
    ) -> None:
        self._console = console or HostConsole()
        self._max_spans = max_spans
        self._max_age = max_age
        self._on_drop = on_drop
        self._lock = threading.Lock()
        self._held: dict[int, list[ReadableSpan]] = {}
        self._held_since: dict[int, float] = {}

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hold the spans, and print the trees that are complete."""
        with self._lock:
            trees = [tree for span in spans if (tree := self._hold(span))]
            evicted = self._evict()
        for tree in trees:
            self._print(tree)
        if evicted and self._on_drop:
            self._on_drop(NO_ROOT, evicted)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Print what is held: trees whose root has not ended."""
        with self._lock:
            held, self._held = list(self._held.values()), {}
            self._held_since.clear()
        for spans in held:
            self._print(spans)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Complete trees are printed at once, so there is nothing to do."""
        return True

    def _hold(self, span: ReadableSpan) -> list[ReadableSpan]:
        """Keep the span; return its tree if it is a local root."""
        if span.context is None:
            return []
        trace_id = span.context.trace_id
        self._held.setdefault(trace_id, []).append(span)
        self._held_since.setdefault(trace_id, time.monotonic())
        if span.parent is not None and not span.parent.is_remote:
            return []
        tree, rest = _split(self._held.pop(trace_id), span.context.span_id)
        if rest:
            # Another local root of the same trace (a second request of one caller) is still open.
            self._held[trace_id] = rest
        else:
            del self._held_since[trace_id]
        return tree

    def _evict(self) -> int:
        """Give up the oldest traces until the limits hold; return the number of their spans."""
        evicted, held = 0, sum(map(len, self._held.values()))
        for trace_id, since in sorted(self._held_since.items(), key=lambda item: item[1]):
            if held - evicted <= self._max_spans and time.monotonic() - since <= self._max_age:
                break
            evicted += len(self._held.pop(trace_id))
            del self._held_since[trace_id]
        return evicted

    def _print(self, spans: Sequence[ReadableSpan]) -> None:
        self._console.print(TreeView(rows_from_spans(spans)))


def _split(spans: Sequence[ReadableSpan], root: int) -> tuple[list[ReadableSpan], list[ReadableSpan]]:
    """Divide spans into those under ``root`` (and itself) and the others."""
    parents = {s.context.span_id: s.parent.span_id if s.parent else None for s in spans if s.context}
    inside: list[ReadableSpan] = []
    outside: list[ReadableSpan] = []
    for span in spans:
        above = span.context.span_id if span.context else None
        while above is not None and above != root:
            above = parents.get(above)
        (inside if above == root else outside).append(span)
    return inside, outside
