"""Ctrl-C while something swallows exceptions."""

from __future__ import annotations

import contextlib
import signal
import threading

import pytest

from litespan.cli.interrupts import heeded


def test_swallowed_interrupt_comes_back() -> None:
    """Who catches everything only delays it; afterwards the handler is the one from before."""
    before = signal.getsignal(signal.SIGINT)

    def work() -> None:
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), heeded():
        work()
    assert before is signal.getsignal(signal.SIGINT)


def test_interrupt_comes_at_once_where_nobody_swallows_it() -> None:
    """The block ends where the signal comes."""
    went_on = []

    def work() -> None:
        signal.raise_signal(signal.SIGINT)
        went_on.append(True)

    with pytest.raises(KeyboardInterrupt), heeded():
        work()
    assert [] == went_on


def test_nothing_happens_without_a_signal() -> None:
    """A block without Ctrl-C ends as it is, in another thread too, where no handler can be set."""
    with heeded():
        pass
    ended: list[bool] = []

    def work() -> None:
        with heeded():
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert [True] == ended
