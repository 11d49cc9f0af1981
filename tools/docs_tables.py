"""Write the README's tables from the code: `make docs`.

Which span carries which attribute is not written down anywhere by hand: each record type is filled with
samples and shown to the functions that make the spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from litespan import records, semconv
from litespan.emit.attributes import span_kinds
from litespan.emit.call_attributes import PARAMETERS
from litespan.settings import Settings
from tools import matrix_results
from tools.attribute_notes import NOTES

README: Final = Path(__file__).resolve().parent.parent / "README.md"

SPAN_NAMES: Final[Mapping[type[records.Record], str]] = {
    records.Workflow: "workflow",
    records.AgentRun: "agent",
    records.ModelCall: "model call",
    records.ToolCall: "tool",
    records.Handoff: "handoff",
    records.Guardrail: "guardrail",
    records.Run: "task",
    records.McpTools: "MCP tools",
    records.Speech: "speech",
    records.Transcription: "transcription",
    records.Step: "custom",
}
"""The spans that the table tells apart. The rest (turn, others of the SDK) carries what all carry."""

CALL: Final = (semconv.OPERATION_NAME, semconv.PROVIDER_NAME, semconv.REQUEST_MODEL)
SPENDER: Final = (*CALL, semconv.AGENT_NAME, semconv.WORKFLOW_NAME)


def main() -> None:
    """Write the README anew."""
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")


def with_tables(text: str) -> str:
    """Return the text with each table between its markers made anew. A missing marker is a ValueError."""
    tables = {
        "attributes": attributes(),
        "metrics": metrics(),
        "settings": settings(),
        "versions": versions(matrix_results.read()),
    }
    for name, rows in tables.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"The text must hold {begin} … {end} once.")
        before, after = pattern.split(text)
        text = "\n".join([before + begin, *rows, end + after])
    return text


def attributes() -> Iterator[str]:
    """Yield the table of span attributes. An attribute without a note, or a note too many: a ValueError."""
    carried = {kind: set(attributes_of(kind)) for kind in SPAN_NAMES}
    emitted = set().union(*carried.values())
    if emitted != set(NOTES):
        raise ValueError(f"Attribute notes do not match the code: {sorted(emitted ^ set(NOTES))}")
    yield from _head("attribute", "on spans of", "what it says")
    for name, note in NOTES.items():
        on = [SPAN_NAMES[kind] for kind, names in carried.items() if name in names]
        yield _row(f"`{name}`", "all" if len(on) == len(SPAN_NAMES) else ", ".join(on), note)


def metrics() -> Iterator[str]:
    """Yield the table of metrics."""
    yield from _head("metric", "instrument", "unit", "what it says", "attributes")
    for metric in semconv.METRICS:
        keys = ", ".join(_keys(metric.attributes))
        yield _row(f"`{metric.name}`", metric.kind, f"`{metric.unit}`", metric.description, keys)


def _keys(names: Sequence[str]) -> Iterator[str]:
    """Yield attribute names, the two groups that come again and again as one word."""
    for group, title in ((SPENDER, "*spender*"), (CALL, "*call*")):
        if tuple(names[: len(group)]) == group:
            yield title
            names = names[len(group) :]
    yield from (f"`{name}`" for name in names)


def settings() -> Iterator[str]:
    """Yield the table of settings."""
    yield from _head("setting", "environment variable", "default", "what it does")
    for setting in fields(Settings):
        env = setting.metadata["env"]
        yield _row(
            f"`{setting.name}`", f"`{env}`" if env else "", f"`{_default(setting)}`", setting.metadata["doc"]
        )


def versions(results: Iterable[matrix_results.Result]) -> Iterator[str]:
    """Yield the table of the versions that `make matrix` ran, as the file of its results has them."""
    titles, *rows = matrix_results.rows(results)
    yield from _head(*titles)
    for row in rows:
        yield _row(*row)


def attributes_of(kind: type[records.Record]) -> Iterator[str]:
    """Yield every attribute name that a span of this kind can carry."""
    span = span_kinds(semconv.GEN1, content=True)[kind]
    for flag in (False, True):
        record = _sample(kind, flag=flag)
        if isinstance(record, records.ModelCall):
            record.parameters = dict.fromkeys(PARAMETERS, "x")
        yield from span.start(record)
        yield from span.end(record)


def _sample(kind: Any, *, flag: bool) -> Any:
    """Return a value of the type with everything known; truth values are `flag`."""
    if kind is Any:
        return "x"
    if get_origin(kind) in (Union, UnionType):
        return _sample(get_args(kind)[0], flag=flag)
    if kind is bool:
        return flag
    if kind in (str, int, float):
        return kind(1)
    if isinstance(kind, type) and (hints := get_type_hints(kind)):
        return kind(**{name: _sample(hint, flag=flag) for name, hint in hints.items() if name not in _LINKS})
    return ("x",) if get_origin(kind) is tuple else {}


_LINKS: Final = ("parent", "handle", "settle", "part", "whole")


def _default(setting: Field[Any]) -> object:
    if setting.default is MISSING:
        return "{}"
    if isinstance(setting.default, bool):
        return str(setting.default).lower()
    if isinstance(setting.default, tuple):
        return ",".join(setting.default) or "()"
    return setting.default


def _head(*titles: str) -> Iterable[str]:
    return _row(*titles), _row(*("---" for _ in titles))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    main()
