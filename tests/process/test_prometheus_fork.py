"""Forked processes and the scrape endpoint: the parent keeps its port, and no child crashes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from litespan.testing import Provider
from tests.fakes.ports import free_port
from tests.process.zero_code.commands import BIN, environment, finish, get, start, wait_until_listening

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.timeout(240),
]

PROGRAM = """
import json, os, socket, sys, urllib.request
import litespan
from opentelemetry import metrics
from prometheus_client import CollectorRegistry, generate_latest

port, adopted = int(sys.argv[1]), sys.argv[2] == "adopted"
registry = CollectorRegistry() if adopted else None
litespan.configure(
    traces_exporter="none", metrics_exporter="prometheus", prometheus_port=port, prometheus_registry=registry
)
counter = metrics.get_meter("test").create_counter("tokens")

def shown():
    if adopted:
        page = generate_latest(registry).decode()
    else:
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    return [float(line.split()[-1]) for line in page.splitlines() if line.startswith("tokens_total")]

counter.add(100)
child = os.fork()
if child == 0:
    flushed = litespan.flush(5)
    counter.add(7)
    print(json.dumps({"flushed": flushed, "child": shown() if adopted else None}), flush=True)
    print(json.dumps({"shutdown": litespan.shutdown(5)}), flush=True)
    os.read(0, 1)  # until the test closes it: the parent ends first
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    print(json.dumps({"port": "free"}), flush=True)
    os._exit(0)
counter.add(1000)
print(json.dumps({"parent": shown()}), flush=True)
"""


@pytest.mark.parametrize(("registry", "in_child"), [("own", None), ("adopted", [7.0])])
def test_forked_child(registry: str, in_child: list[float] | None) -> None:
    """A child goes on without a port and says so once; with a registry of the program it starts from zero."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM, str(free_port()), registry],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.wait(30)
    output, errors = process.communicate("\n", timeout=30)
    found: dict[str, object] = {}
    for line in output.splitlines():
        found |= json.loads(line)

    assert 0 == process.returncode
    assert [1100.0] == found["parent"]
    assert (True, True, "free") == (found["flushed"], found["shutdown"], found["port"])
    assert in_child == found["child"]
    assert (registry == "own") == ("serves none itself" in errors)
    assert errors.count("\n") == (registry == "own")


def test_gunicorn_workers(tmp_path: Path) -> None:
    """Workers forked from a program that serves metrics answer requests; each logs one line."""
    variables = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "prometheus"}
    with Provider() as provider:
        port, scrape_port = free_port(), free_port()
        command = [str(BIN / "gunicorn"), "wsgi_configured:app", "--bind", f"127.0.0.1:{port}", "--preload"]
        command += ["--workers", "2", "--timeout", "120", "--log-level", "error"]
        variables["OTEL_EXPORTER_PROMETHEUS_PORT"] = str(scrape_port)
        server = start(command, tmp_path, environment(provider.base_url, "http://127.0.0.1:9") | variables)
        wait_until_listening(port, server)
        worker, page = int(get(port)), get(scrape_port)
        server.send_signal(signal.SIGTERM)
        code, _, errors = finish(server)

    assert (0, 2) == (code, errors.count("serves none itself"))
    assert worker != server.pid
    assert "target_info" in page
    assert "Traceback" not in errors
