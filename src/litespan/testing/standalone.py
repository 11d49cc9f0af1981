"""The fake provider as a process, for benchmarks that must not share their interpreter with it."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType

from litespan.testing.provider import Provider
from litespan.testing.reply import Reply


def main() -> None:
    """Serve default answers until standard input closes or SIGTERM comes. The first line is the base URL."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, _leave)
    with Provider(port=options.port, remember_payloads=False) as provider:
        provider.default = Reply.says(
            options.text, pieces=options.pieces, delay=options.delay, chunk_delay=options.chunk_delay
        )
        print(provider.base_url, flush=True)
        sys.stdin.buffer.read()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m litespan.testing.provider", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--text", default="Hello from the fake provider.", help="the answer")
    parser.add_argument("--pieces", type=int, default=3, help="text deltas in a stream")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before the first byte")
    parser.add_argument("--chunk-delay", type=float, default=0.0, help="seconds between stream events")
    return parser


def _leave(signal_number: int, frame: FrameType | None) -> None:
    sys.exit(0)
