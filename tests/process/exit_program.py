"""A program that traces a little and exits, as its arguments say; it writes when that begins and is done."""

from __future__ import annotations

import atexit
import sys
import time

from litespan.export.exit import register_exit
from litespan.export.pipeline import build
from litespan.settings import load_settings


def tell_time() -> None:
    """Write what the clock says."""
    sys.stdout.write(f"{time.monotonic()}\n")
    sys.stdout.flush()


def main(exit_code: int, spans: int) -> None:
    """Build the pipeline from the environment, make spans and measurements, and exit."""
    # Before every other exit handler, so that it runs when all of them are done.
    atexit.register(tell_time)
    settings = load_settings()
    pipeline = build(settings)
    register_exit(pipeline.shutdown, settings.exit_timeout)
    tracer = pipeline.tracer_provider.get_tracer("test")
    counter = pipeline.meter_provider.get_meter("test").create_counter("tokens")
    for _ in range(spans):
        with tracer.start_as_current_span("chat"):
            counter.add(1)
    tell_time()
    sys.exit(exit_code)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
