"""A program that keeps its spans in a spool; its arguments say how many, and at which pace.

It prints the number of spans that it has ended. Without spans it sends what others have left.
"""

from __future__ import annotations

import os
import sys
import time

from litespan.export.pipeline import build
from litespan.settings import load_settings


def main(name: str, spans: int, pause: float, end: str) -> None:
    """Make spans named ``name 0``, ``name 1``, …; then shut down, or wait for a kill."""
    pipeline = build(load_settings())
    tracer = pipeline.tracer_provider.get_tracer("test")
    for number in range(spans):
        with tracer.start_as_current_span(f"{name} {number}"):
            pass
        os.write(1, b"%d\n" % (number + 1))
        time.sleep(pause)  # the pace of the load
    if end == "wait":
        # Standard input is a pipe: it ends when whoever started this says so.
        sys.stdin.read()
    pipeline.shutdown(5)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
