"""What importing and setting up litespan cost a program that has its hosts already: prints CPU seconds."""

from __future__ import annotations

import time

import agents.extensions.models.litellm_model  # noqa: F401 - the hosts, before the clock starts
from agents.tracing import get_trace_provider

from benchmarks.telemetry import providers

if __name__ == "__main__":
    given = providers()
    # The SDK makes its own exporter, with an HTTP client, when its tracing is first used: at the first run.
    get_trace_provider()
    began = time.process_time()
    import litespan

    litespan.instrument(*given)
    print(time.process_time() - began)  # noqa: T201 - the parent reads it
