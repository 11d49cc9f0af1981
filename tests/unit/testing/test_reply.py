"""Replies as values."""

from __future__ import annotations

import pytest

from litespan.testing import Reply, ServedUsage, ToolCall
from litespan.testing.wire import split


def test_usages_add_up() -> None:
    """Adding usages adds every field."""
    assert ServedUsage(11, 22, 33, 44, 55, 66) == ServedUsage(1, 2, 3, 4, 5, 6) + ServedUsage(
        10, 20, 30, 40, 50, 60
    )


def test_the_finish_reason_follows_from_the_answer() -> None:
    """Without a finish reason of its own a reply has the natural one."""
    assert "stop" == Reply.says("Hi").finish
    assert "tool_calls" == Reply.calls(ToolCall("f")).finish
    assert "length" == Reply.says("Hi", finish_reason="length").finish


def test_retry_after_fills_both_headers() -> None:
    """Whole seconds round up, milliseconds are exact; given headers stay."""
    reply = Reply.fails(429, retry_after=0.25, headers={"x-more": "1"})

    assert {"retry-after": "1", "retry-after-ms": "250", "x-more": "1"} == reply.headers


def test_a_failed_answer_bills_nothing() -> None:
    """An error status bills nothing; a stream that fails inside bills its usage."""
    assert Reply.fails(500).billed is None
    assert ServedUsage(12, 7) == Reply.fails(500, error_after=2).billed
    assert ServedUsage(12, 7) == Reply.says("Hi", cut_after=0).billed


@pytest.mark.parametrize(
    "faults", [{"cut_after": 0, "stall_after": 0}, {"hang": True, "raw_body": b""}, {"error_after": 1}]
)
def test_faults_that_make_no_sense_are_errors(faults: dict[str, object]) -> None:
    """Faults that exclude each other, or lack what they need, are refused where the reply is made."""
    with pytest.raises(ValueError, match=r"fault|error_after"):
        Reply.says("Hi", **faults)


def test_the_repr_shows_what_is_set() -> None:
    """A reply shows the fields that differ from an empty one."""
    assert "Reply(text='Hi', cut_after=0)" == repr(Reply.says("Hi", cut_after=0))


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("", 3, []),
        ("ab", 3, ["a", "b"]),
        ("abcdef", 3, ["ab", "cd", "ef"]),
        ("abcdefg", 3, ["abc", "def", "g"]),
        ("abc", 0, ["abc"]),
    ],
)
def test_texts_split_into_even_pieces(text: str, pieces: int, expected: list[str]) -> None:
    """Pieces are about equal, never empty, and add up to the text."""
    assert expected == split(text, pieces)
