"""Web servers under ``opentelemetry-instrument``: what they did arrives although SIGTERM ends them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from litespan.testing import Provider
from tests.fakes.otlp_server import Received, collector
from tests.fakes.ports import free_port
from tests.process.zero_code.commands import (
    BIN,
    INSTRUMENT,
    environment,
    finish,
    get,
    start,
    wait_until_listening,
)

pytestmark = pytest.mark.timeout(240)


def workflows(received: Received) -> int:
    """Return the number of complete runs that arrived: roots with an agent and a call below them."""
    names = [span.name for span in received.spans()]
    assert names.count("chat gpt-4.1-mini") == names.count("invoke_agent Helper")
    assert names.count("chat gpt-4.1-mini") == names.count("invoke_workflow Helper")
    return names.count("invoke_workflow Helper")


def test_uvicorn(tmp_path: Path) -> None:
    """The server uvicorn ends by the signal as ever, after the last spans and metrics were sent."""
    port = free_port()
    with Provider() as provider, collector() as received:
        command = [INSTRUMENT, str(BIN / "uvicorn"), "asgi:app", "--port", str(port), "--log-level", "error"]
        server = start(command, tmp_path, environment(provider.base_url, received.endpoint))
        wait_until_listening(port, server)
        answers = [get(port), get(port)]
        server.send_signal(signal.SIGTERM)
        code, _, errors = finish(server)

    assert ["Hello from the fake provider."] * 2 == answers
    assert (-signal.SIGTERM, "") == (code, errors)
    assert 2 == workflows(received) == received.sum_of("litespan.calls")


def instance_ids(received: Received) -> set[str]:
    """Return the service instances that have sent spans."""
    return {
        attribute.value.string_value
        for request in received.trace_requests
        for item in request.resource_spans
        for attribute in item.resource.attributes
        if attribute.key == "service.instance.id"
    }


def test_gunicorn_workers(tmp_path: Path) -> None:
    """Workers of gunicorn, forked from a preloaded program, send what they did under ids of their own."""
    port = free_port()
    command = [INSTRUMENT, str(BIN / "gunicorn"), "wsgi:app", "--bind", f"127.0.0.1:{port}"]
    command += [
        "--workers",
        "2",
        "--max-requests",
        "1",
        "--preload",
        "--timeout",
        "120",
        "--log-level",
        "error",
    ]
    with Provider() as provider, collector() as received:
        server = start(command, tmp_path, environment(provider.base_url, received.endpoint))
        wait_until_listening(port, server)
        # A worker serves one request, so that three requests are served by three of them.
        workers = {get(port) for _ in range(3)}
        server.send_signal(signal.SIGTERM)
        code, _, errors = finish(server)

    assert (0, "") == (code, errors)
    assert 3 == len(workers) == len(instance_ids(received)) == workflows(received)
