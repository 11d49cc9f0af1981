"""How long the spool waits between two attempts."""

from __future__ import annotations

import threading

import pytest

from litespan.export.spool.pause import LONGEST_WISH, Pause


def test_pauses_double_up_to_half_a_minute() -> None:
    """Each failure in a row makes the pause longer, with jitter, and half a minute is the longest."""
    pause = Pause()
    lefts = []
    for _ in range(2_000):
        pause.fail(None)
        lefts.append(pause.left())

    for left, longest in zip(lefts, [1, 2, 4, 8, 16, 30, 30], strict=False):
        assert longest / 2 - 0.1 < left <= longest
    assert 15 - 0.1 < min(lefts[5:]) < max(lefts) <= 30
    assert len(set(lefts)) > 1_000


def test_success_ends_the_pause() -> None:
    """After a success there is no pause, and the next failure is a first one again."""
    pause = Pause()
    for _ in range(9):
        pause.fail(None)
    pause.reset()
    assert (pause.left(), pause.failing) == (0.0, False)
    pause.fail(None)
    assert pause.left() <= 1


def test_the_receiver_is_not_asked_too_early() -> None:
    """What the receiver asks for is the shortest pause, also where it is longer than half a minute."""
    pause = Pause()
    pause.fail(120.0)

    assert 119.9 < pause.left() <= 132
    assert pause.asked_for


@pytest.mark.parametrize("wish", [0.0, 0.1, -5.0])
def test_a_wish_for_no_pause_is_none(wish: float) -> None:
    """A receiver that asks for no time is not asked again and again at once."""
    pause = Pause()
    for longest in (1, 2, 4):
        pause.fail(wish)
        assert longest / 2 - 0.1 < pause.left() <= longest
    assert not pause.asked_for


def test_a_wish_beyond_all_bounds_is_cut() -> None:
    """Centuries, as a broken clock may ask for, are a day: Python can wait for that."""
    pause = Pause()
    pause.fail(1e12)

    assert LONGEST_WISH - 1 < pause.left() <= LONGEST_WISH * 1.1 < threading.TIMEOUT_MAX
