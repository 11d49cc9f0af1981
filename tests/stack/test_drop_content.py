"""The example that drops content: secrets are sent through the real Collector, and none arrives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from litespan import semconv
from tests.fakes.ports import free_port
from tests.integration.servers.collector import Collector
from tests.integration.servers.server import DEPLOY, wait_for
from tests.safety.canaries import CONTENT_ATTRIBUTES

SHIPPED: Final = DEPLOY / "collector" / "collector.yaml"
EXAMPLE: Final = DEPLOY / "collector" / "examples" / "drop-content.yaml"

# Where content may stand: also under names of other instrumentations and of OpenTelemetry's exceptions.
ON_SPANS: Final = (*CONTENT_ATTRIBUTES, "gen_ai.prompt.0.content", "gen_ai.completion")
IN_EVENTS: Final = (
    *(name for name in ON_SPANS if name != semconv.STEP_DATA),
    *("exception.message", "exception.stacktrace"),
)
KEPT: Final = (semconv.REQUEST_MODEL, semconv.TOOL_NAME, semconv.USAGE_INPUT_TOKENS, "exception.type")

STATEMENTS: Final = [
    (group, number)
    for group, content in enumerate(
        yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["processors"]["transform/drop_content"][
            "trace_statements"
        ]
    )
    for number in range(len(content["statements"]))
]


def attributes(place: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return attributes whose values say where they were, in words that are found again."""
    return [{"key": key, "value": {"stringValue": f"<{place} {key}>"}} for key in keys]


def span(number: int, events: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return a span that has content in every place."""
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001000000000",
        "attributes": attributes(f"span{number}", (*ON_SPANS, *KEPT)),
        "status": {"code": 2, "message": f"<status{number}>"},
        "events": list(events),
    }


def request() -> dict[str, Any]:
    """Return a request with two spans: of one without events, content is not easily dropped."""
    event = {"timeUnixNano": "1700000000500000000", "name": "exception"}
    spans = [span(1), span(2, [{**event, "attributes": attributes("event", (*IN_EVENTS, *KEPT))}])]
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "test"}, "spans": spans}]}]}


def arrived(folder: Path, *configurations: Path) -> set[str]:
    """Send the request through a real Collector; return the words that come out where Jaeger would be."""
    out = folder / "out.json"
    overlay = folder / "out.yaml"
    overlay.write_text(
        yaml.safe_dump(
            {
                "exporters": {"file": {"path": str(out), "flush_interval": "50ms"}},
                "service": {"pipelines": {"traces": {"exporters": ["file", "span_metrics"]}}},
            }
        ),
        encoding="utf-8",
    )
    nobody = f"127.0.0.1:{free_port()}"
    collector = Collector(folder, nobody, f"http://{nobody}", (SHIPPED, *configurations, overlay))
    with collector:
        answer = httpx.post(f"{collector.otlp}/v1/traces", json=request(), timeout=30.0, trust_env=False)
        assert answer.status_code == httpx.codes.OK
        text = wait_for(lambda: out.exists() and out.read_text(encoding="utf-8"), "the spans in the file")
    return set(re.findall(r"<([^<>]+)>", str(text)))


def without(statement: tuple[int, int], folder: Path) -> Path:
    """Write the example without one of its statements."""
    content = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    group, number = statement
    del content["processors"]["transform/drop_content"]["trace_statements"][group]["statements"][number]
    broken = folder / "broken.yaml"
    broken.write_text(yaml.safe_dump(content), encoding="utf-8")
    return broken


def kept() -> set[str]:
    """Return the words that are no content and must arrive."""
    return {f"{place} {key}" for place in ("span1", "span2", "event") for key in KEPT}


def secrets() -> set[str]:
    """Return the words that must not arrive."""
    on_spans = {f"{place} {key}" for place in ("span1", "span2") for key in ON_SPANS}
    return on_spans | {"status1", "status2"} | {f"event {key}" for key in IN_EVENTS}


def test_no_secret_arrives(tmp_path: Path) -> None:
    """With the example all content is gone, on spans with and without events; the rest is there."""
    assert kept() == arrived(tmp_path, EXAMPLE)


def test_all_arrives_without_the_example(tmp_path: Path) -> None:
    """Without the example, every one of those secrets arrives: they were really sent."""
    assert kept() | secrets() == arrived(tmp_path)


@pytest.mark.parametrize("statement", STATEMENTS, ids=str)
def test_every_statement_is_needed(statement: tuple[int, int], tmp_path: Path) -> None:
    """Whichever statement is taken out of the example, a secret arrives."""
    seen = arrived(tmp_path, without(statement, tmp_path))

    assert kept() < seen
    assert seen - kept() <= secrets()
