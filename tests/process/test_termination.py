"""SIGTERM in a program that litespan was set up in from outside."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a signal")

PROGRAM = """
import os, signal, sys, threading, time
from litespan.export.termination import Termination

def shutdown(timeout):
    print("sent within", timeout, flush=True)
    {shutdown}

def flush(timeout):
    print("flushed within", timeout, flush=True)
    flushed.set()

flushed = threading.Event()
{before}
termination = Termination(shutdown, flush, 0.2)
{after}
print("ready", flush=True)
{body}
"""


def run(
    before: str = "", after: str = "", shutdown: str = "", body: str = "signal.pause()"
) -> tuple[int, list[str]]:
    """Run a program, end it by SIGTERM, and return its exit code and what it printed after it was ready."""
    program = PROGRAM.format(before=before, after=after, shutdown=shutdown, body=body)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    return process.returncode, output.splitlines()


def test_signal_sends_then_ends() -> None:
    """What is left is sent, and the process ends by the signal, as it would have without."""
    assert (-signal.SIGTERM, ["sent within 0.2"]) == run()


@pytest.mark.parametrize(
    "shutdown", ["time.sleep(60)", "raise ValueError", "lock.acquire()"], ids=["hangs", "raises", "deadlocks"]
)
def test_process_ends_whatever_happens(shutdown: str) -> None:
    """A shutdown that hangs, fails or waits for a lock of the interrupted code keeps no process alive."""
    body = "lock = threading.Lock()\nwith lock:\n    signal.pause()"

    assert (-signal.SIGTERM, ["sent within 0.2"]) == run(shutdown=shutdown, body=body)


OWN = "signal.signal(signal.SIGTERM, lambda *_: (print('own', flush=True), sys.exit(3)))"


@pytest.mark.parametrize("place", ["before", "after"])
def test_handler_of_the_program_stays(place: str) -> None:
    """A handler that the program has set, before or after, is the one that runs."""
    assert (3, ["own"]) == run(**{place: OWN})


def test_cancelled() -> None:
    """After `cancel()` the signal does what it did before."""
    assert (-signal.SIGTERM, []) == run(after="termination.cancel()")


def test_cancel_leaves_the_programs_handler() -> None:
    """`cancel()` does not take away a handler that the program has set since."""
    assert (3, ["own"]) == run(after=f"{OWN}\ntermination.cancel()")


def test_other_threads_cannot_set_handlers() -> None:
    """Set up in another thread than the main one, where Python allows no handlers, nothing is changed."""
    before = "real = Termination\ndef Termination(*given):\n    made = []\n"
    before += "    thread = threading.Thread(target=lambda: made.append(real(*given)))\n"
    before += "    thread.start(); thread.join()\n    return made[0]"

    assert (-signal.SIGTERM, []) == run(before=before, after="termination.cancel()")


RELEASED = """
termination.hold()
thread = threading.Thread(target=termination.release)
thread.start(); thread.join()
"""


def test_released_in_another_thread() -> None:
    """After a shutdown in another thread, where Python sets no handlers, the signal ends the process."""
    assert (-signal.SIGTERM, []) == run(after=RELEASED)


def test_set_up_anew_after_another_thread() -> None:
    """What is set up after that sends again what is left."""
    after = f"{RELEASED}termination = Termination(shutdown, flush, 0.2)"

    assert (-signal.SIGTERM, ["sent within 0.2"]) == run(after=after)


def test_first_process_of_a_container_goes_on() -> None:
    """There the signal ends nothing, so what has ended is sent, and the program is observed on."""
    body = "for _ in range(2):\n    flushed.wait(20)\n    flushed.clear()\n    "
    body += "print('on', signal.getsignal(signal.SIGTERM) == termination._end, flush=True)\n    "
    body += "os.kill(real(), signal.SIGTERM)\nflushed.wait(20)"

    went = (0, ["flushed within 0.2", "on True"] * 2 + ["flushed within 0.2"])
    assert went == run(before="real, os.getpid = os.getpid, lambda: 1", body=body)
