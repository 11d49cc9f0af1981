"""How long the spool waits between two attempts."""

from __future__ import annotations

from litespan.export.spool.pause import Pause


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
