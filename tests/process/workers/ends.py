"""A program that works once and ends in one of many ways, or works for each line it is given."""

import os
import signal
import sys

from agents import trace

import litespan

litespan.configure()


def work() -> None:
    """Do something that leaves one span."""
    with trace("Work"):
        pass


def serve() -> None:
    """Work for each line, flush, and answer with what the flush says; the end of the input is the end."""
    for _ in sys.stdin:
        work()
        sys.stdout.write(f"{litespan.flush(5)}\n")
        sys.stdout.flush()


work()
if sys.argv[1] == "flush":
    litespan.flush(5)
end = sys.argv[2]
if end == "_exit":
    os._exit(0)
elif end == "serve":
    serve()
else:
    signal.raise_signal(signal.Signals[end])
