"""Span trees as text, for snapshots: one line per span, children below their parent as they began."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opentelemetry.sdk.trace import ReadableSpan


def children_of(spans: Iterable[ReadableSpan]) -> dict[int | None, list[ReadableSpan]]:
    """Group spans by parent span id; spans whose parent is not among them are under ``None``."""
    spans = list(spans)
    ids = {_id(span) for span in spans}
    groups: dict[int | None, list[ReadableSpan]] = {}
    for span in sorted(spans, key=lambda s: (s.start_time or 0, _id(s))):
        parent = span.parent.span_id if span.parent is not None and span.parent.span_id in ids else None
        groups.setdefault(parent, []).append(span)
    return groups


def render_tree(spans: Iterable[ReadableSpan], attributes: Sequence[str] = ()) -> str:
    """Return the tree of spans as indented lines; ``attributes`` stand behind the name where they are set."""
    groups = children_of(spans)
    lines: list[str] = []

    def add(parent: int | None, depth: int) -> None:
        for span in groups.get(parent, []):
            values = span.attributes or {}
            shown = [f"{key}={values[key]!s}" for key in attributes if key in values]
            lines.append("  " * depth + " ".join([span.name, *shown]))
            add(_id(span), depth + 1)

    add(None, 0)
    return "\n".join(lines)


def _id(span: ReadableSpan) -> int:
    return span.context.span_id if span.context is not None else 0
