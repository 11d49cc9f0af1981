"""From a line to facts: both generations of names, strange values, broken lines."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litespan import records, semconv
from litespan.cli.sums.facts import Call
from litespan.cli.sums.spans import BrokenLineError, Found, read_line
from litespan.cli.sums.summary import Summary
from tests.unit.cli.sums import otlp

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def only_call(span: dict[str, Any]) -> Call:
    """Return what is read of a line with this span."""
    [call] = read_line(otlp.line(span)).calls
    return call


def reading_of(line: bytes) -> Found | None:
    """Return what a line says, or None if it is broken; nothing else may happen."""
    try:
        found = read_line(line)
    except BrokenLineError:
        return None
    Summary().add(found)
    return found


def test_call_is_read_whole() -> None:
    """A call says its names, tokens by class, cost, time and place."""
    call = only_call(
        otlp.call(
            (100, 20),
            0.25,
            attributes={
                semconv.AGENT_NAME: "Triage",
                semconv.WORKFLOW_NAME: "Support",
                semconv.USER_ID: "u-17",
                semconv.OPENAI_AGENTS_TRACE_ID: "trace_1",
                semconv.USAGE_CACHE_READ_TOKENS: 40,
                semconv.USAGE_REASONING_TOKENS: 7,
            },
        )
    )

    assert ("gpt-4.1", "Triage", "Support", "u-17", "openai", "2026-06-01") == call.names
    assert (100, 40, None, 20, 7) == call.tokens
    assert (Decimal("0.25"), 1.0, "ok", "trace_1") == (call.cost, call.seconds, call.outcome, call.run)
    assert (True, False, None, None) == (call.sent, call.unpriced, call.missing, call.root)


@pytest.mark.parametrize("generation", semconv.GENERATIONS.values(), ids=semconv.GENERATIONS.keys())
def test_cache_writes_of_both_generations(generation: semconv.Generation) -> None:
    """Cache writes are read under the names of either generation, and once where both stand there."""
    span = otlp.call((100, 20), attributes=dict.fromkeys(generation.cache_writes, 30))

    assert (100, None, 30, 20, None) == only_call(span).tokens


def test_old_name_of_cache_writes_alone() -> None:
    """The older name counts where the newer one is not there."""
    span = otlp.call((100, 20), attributes={semconv.USAGE_CACHE_CREATION_TOKENS: 30})

    assert 30 == only_call(span).tokens[2]


@pytest.mark.parametrize("operation", [semconv.CHAT, semconv.TEXT_COMPLETION, semconv.EMBEDDINGS])
def test_operations_that_are_calls(operation: str) -> None:
    """Chats, text completions and embeddings are calls."""
    assert only_call(otlp.call(attributes={semconv.OPERATION_NAME: operation})).sent


@pytest.mark.parametrize("operation", [semconv.INVOKE_AGENT, semconv.EXECUTE_TOOL, None, "chatter"])
def test_other_operations_are_no_calls(operation: str | None) -> None:
    """Agents, tools and spans without an operation are no calls, whatever usage they carry."""
    found = read_line(otlp.line(otlp.call((1, 1), 1.0, attributes={semconv.OPERATION_NAME: operation})))

    assert Found([], [], spans=1, others=0, beside=0) == found


def test_missing_is_not_zero() -> None:
    """A call without usage has no tokens, no cost and a reason, and is not called unpriced."""
    call = only_call(otlp.call(None))

    assert ((None,) * 5, None, "not_reported", False) == (call.tokens, call.cost, call.missing, call.unpriced)


def test_usage_without_a_cost_is_unpriced() -> None:
    """A call with usage and without a cost is unpriced; a cost of 0 is a cost."""
    assert [True, False] == [only_call(otlp.call((1, 1), cost)).unpriced for cost in (None, 0.0)]
    assert Decimal(0) == only_call(otlp.call((1, 1), 0.0)).cost


def test_cost_in_another_currency_is_unknown() -> None:
    """A cost that is not in USD is not added to what is."""
    call = only_call(otlp.call((1, 1), 5.0, attributes={semconv.USAGE_COST_CURRENCY: "EUR"}))

    assert (None, True) == (call.cost, call.unpriced)


@pytest.mark.parametrize(
    ("marks", "sent"),
    [
        ({semconv.CACHE_HIT: True}, True),
        ({semconv.MOCKED: True}, True),
        ({}, True),
        ({semconv.SENT: True}, True),
        ({semconv.SENT: "no"}, True),
        ({semconv.SENT: False}, False),
    ],
)
def test_calls_are_those_of_the_metrics(marks: dict[str, Any], *, sent: bool) -> None:
    """LiteLLM's cache hits, mocks and relayed calls are calls; a span that says it sent nothing is none."""
    assert sent is only_call(otlp.call(attributes={semconv.USAGE_SOURCE: None, **marks})).sent


@pytest.mark.parametrize("tokens", [None, (10, 5)])
@pytest.mark.parametrize("reason", sorted(records.MISSING_REASONS))
def test_reason_is_that_of_the_metrics(reason: str, tokens: tuple[int, int] | None) -> None:
    """Why a usage did not arrive, or not whole, is on the span; tokens that did arrive count all the same."""
    call = only_call(otlp.call(tokens, attributes={semconv.USAGE_MISSING_REASON: reason}))

    assert reason == call.missing
    assert tokens == (None if tokens is None else (call.tokens[0], call.tokens[3]))


def test_refused_call_misses_nothing() -> None:
    """A failed call without a reason was refused: its usage is no blind spot."""
    refused = {semconv.OUTCOME: "error", semconv.USAGE_MISSING_REASON: None}

    assert only_call(otlp.call(None, attributes=refused)).missing is None


def test_unknown_reason_is_no_group_of_its_own() -> None:
    """Whatever a file says, there are only so many reasons."""
    said = {semconv.USAGE_MISSING_REASON: "x" * 5_000}

    assert "unknown" == only_call(otlp.call(None, attributes=said)).missing


def test_plain_call_is_its_own_root() -> None:
    """A call without a parent stands for a run of its own, under its own name."""
    assert "chat gpt-4.1" == only_call(otlp.call(parentSpanId=None)).root


def test_workflow_is_a_root_and_no_call() -> None:
    """Of a workflow its name, outcome and time are read, and none of its totals."""
    found = read_line(otlp.line(otlp.workflow("Support desk")))

    [root] = found.roots
    assert [] == found.calls
    assert ("Support desk", "ok", 1.0) == (root.name, root.outcome, root.seconds)


# -- what is not litespan's --------------------------------------------------------------------------------
def test_spans_of_other_tools_are_left_out() -> None:
    """A call that another scope wrote is counted as left out, whether or not the line is parsed for it."""
    theirs = otlp.call(attributes={semconv.OUTCOME: None})

    assert Found([], [], spans=0, others=2, beside=0) == read_line(otlp.line(theirs, theirs, scope="openai"))
    assert Found([], [], spans=0, others=1, beside=0) == read_line(
        otlp.line({**theirs, "name": "litespan"}, scope="openai")
    )


def test_calls_that_litespan_told_another_tool_count() -> None:
    """Where another instrumentation's span carries litespan's facts, there is no other span of the call."""
    found = read_line(otlp.line(otlp.call((10, 5), 0.5), scope="opentelemetry.util.genai"))

    assert (1, 1, 0) == (len(found.calls), found.spans, found.others)


@pytest.mark.parametrize("kind", ["resourceMetrics", "resourceLogs"])
def test_metrics_and_logs_say_nothing(kind: str) -> None:
    """Lines of other signals are skipped silently, in the usual spelling and in a looser one."""
    request = {kind: [{"scope": {"name": "litespan"}}]}
    nothing = Found([], [], spans=0, others=0, beside=0)
    beside = nothing._replace(beside=1)

    assert beside == read_line(json.dumps(request, separators=(",", ":")).encode())
    assert beside == read_line(json.dumps(request, indent=None).encode())
    assert nothing == read_line(b" \n") == read_line(b"{}\n")


# -- broken and hostile ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (otlp.line(otlp.call())[:-20], "not JSON"),
        (b'{"resourceMetrics":[{"x":1', "not JSON"),
        (b'{"resourceSpans":[]', "not JSON"),
        (b"\xff\xfe\x00", "not JSON that can be read"),
        (b"[" * 100_000, "not JSON that can be read"),
        (b'{"resourceSpans":["litespan",' + b"1" * 5_000 + b"]}", "not"),
        (b"[]", "no export request"),
        (b'{"spans": []}', "no export request"),
        (b'{"resourceSpans": {"litespan": 5}}', "not put together"),
        (b'{"resourceSpans": ["litespan"]}', "not put together"),
    ],
)
def test_broken_line_is_told_without_its_text(line: bytes, problem: str) -> None:
    """A line that cannot be read says why, and quotes nothing."""
    with pytest.raises(BrokenLineError, match=problem) as raised:
        read_line(line)

    assert "gpt-4.1" not in str(raised.value)
    assert len(str(raised.value)) < 100


def test_broken_line_leaves_no_half() -> None:
    """A line whose second span is none gives nothing of its first one either."""
    with pytest.raises(BrokenLineError):
        read_line(otlp.line(otlp.call(), 5))


def test_attribute_without_a_value_is_no_fault() -> None:
    """OTLP allows an attribute without a value; the span counts."""
    span = otlp.call((10, 5))
    span["attributes"].insert(0, {"key": "empty"})

    assert (10, None, None, 5, None) == only_call(span).tokens


@pytest.mark.parametrize(
    "amount", [-1.0, 1e300, True, "NaN", "Infinity", None, [], {}, "1" * 30, "-5", float("nan")]
)
def test_amounts_that_are_none(amount: Any) -> None:
    """What cannot be a cost or a number of tokens is not known."""
    span = otlp.call((10, 5), 1.0)
    for attribute in span["attributes"]:
        if attribute["key"] == semconv.USAGE_COST_AMOUNT:
            attribute["value"] = {"doubleValue": amount}
        if attribute["key"] == semconv.USAGE_INPUT_TOKENS:
            attribute["value"] = {"intValue": amount}

    assert (None, True, None) == (
        only_call(span).cost,
        only_call(span).unpriced,
        only_call(span).tokens[0],
    )


@given(amount=st.floats(min_value=0, max_value=1e9, allow_nan=False))
def test_cost_is_the_decimal_of_the_file(amount: float) -> None:
    """The cost is the decimal that stands in the file, digit by digit."""
    cost = only_call(otlp.call((1, 1), amount)).cost

    assert cost is not None
    assert amount == float(cost)
    assert len(cost.as_tuple().digits) <= 17


@given(st.binary(max_size=200))
def test_any_bytes(line: bytes) -> None:
    """Whatever a line is, it is read or it is broken."""
    reading_of(line)


@given(key=st.sampled_from(["attributes", "startTimeUnixNano", "endTimeUnixNano", "traceId", "name",
                            "status", "parentSpanId"]), junk=json_values)  # fmt: skip
def test_any_field_of_a_span(key: str, junk: Any) -> None:
    """A span with junk in one of its fields is read or broken; what is read can be added."""
    reading_of(otlp.line({**otlp.call((10, 5), 0.5), key: junk}))


@given(
    index=st.integers(0, 7),
    kind=st.sampled_from(["stringValue", "intValue", "doubleValue", "boolValue", "arrayValue"]),
    junk=json_values,
)
def test_any_value_of_an_attribute(index: int, kind: str, junk: Any) -> None:
    """A call with junk in one of its attributes is still a readable line."""
    span = otlp.call((10, 5), 0.5)
    span["attributes"][index]["value"] = {kind: junk}

    assert reading_of(otlp.line(span)) is not None


@given(st.integers(0, 2_000))
def test_any_cut(length: int) -> None:
    """A line that was cut off anywhere is broken, or empty."""
    whole = otlp.line(otlp.call((10, 5), 0.5)).rstrip()
    found = reading_of(whole[:length])

    assert found in ([None] if 0 < length < len(whole) else [([], [], 0, 0, 0), read_line(whole)])
