"""The trees and queries on the pages about runs, tools and voice are what a reader gets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from litespan import semconv
from litespan.emit.side_spans import SIDE_SPANS
from litespan.testing import Provider
from tests.pages import blocks, page

pytestmark = pytest.mark.timeout(240)

PAGES = ("several-runs", "tools-and-voice")


def first(language: str, name: str) -> str:
    """Return the first block in a language on a page."""
    return blocks(page(name), language)[0]


def spans_in(path: Path) -> list[dict[str, Any]]:
    """Return the spans in a file of OTLP JSON lines, in the order in which they began."""
    documents = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    spans = [
        {**span, "scope": scope["scope"]["name"]}
        for document in documents
        for resource in document["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    return sorted(spans, key=lambda span: int(span["startTimeUnixNano"]))


def attributes_of(holder: dict[str, Any]) -> dict[str, str]:
    """Return attributes as text."""
    return {item["key"]: str(next(iter(item["value"].values()))) for item in holder.get("attributes", ())}


@pytest.mark.parametrize("name", PAGES)
def test_trees_are_those_of_the_examples(name: str, tmp_path: Path) -> None:
    """The tree below an example names the spans that the example leaves, with the attributes it shows."""
    with Provider() as provider:
        env = {"OPENAI_API_KEY": "none", "OPENAI_API_BASE": provider.base_url, "PYTHONPATH": os.getcwd()}
        command = [sys.executable, "-c", first("python", name)]
        subprocess.run(command, cwd=tmp_path, env={**os.environ, **env}, check=True, timeout=100)

    everything = spans_in(tmp_path / "litespan-traces.jsonl")
    spans = [span for span in everything if span["scope"] == "litespan"]
    lines = [line.strip() for line in first("text", name).splitlines()]
    assert len(lines) == len(spans)
    for line, span in zip(lines, spans, strict=True):
        shown = dict(pair.split("=", 1) for pair in line.split() if "=" in pair)
        assert line.split(" litespan.")[0] == span["name"]
        assert shown.items() <= attributes_of(span).items()
    told = [attributes_of(event)["litespan.run"] for event in spans[0].get("events", ())]
    for span in everything:
        if span["name"] == "MCP send tools/list":
            assert ["mcp_tools shop"] == [s["name"] for s in spans if s["spanId"] == span["parentSpanId"]]
    assert (["1", "2"] if name == "several-runs" else []) == told


def test_names_exist() -> None:
    """The attributes, metrics and span names that the pages speak of are litespan's."""
    known = {value for value in vars(semconv).values() if isinstance(value, str)}
    known |= {metric.name for metric in semconv.METRICS}
    pages = "".join(map(page, PAGES))
    named = set(re.findall(r"`((?:litespan|gen_ai|mcp)\.[\w.]+\w)", pages))

    assert named - known <= {"litespan.total", "gen_ai.client"}
    assert {"task", "mcp_tools", "speech", "transcription"} <= {
        kind.name(record()) for record, kind in SIDE_SPANS.items()
    }


def test_queries_use_names_that_exist() -> None:
    """The metric in the query is one of litespan's."""
    used = re.findall(r"\b(litespan_\w+)_bucket\[", first("promql", "several-runs"))

    assert [semconv.RUN_COST.name.replace(".", "_")] == used
