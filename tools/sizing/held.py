"""The memory of a gateway for spans that it has not decided about, measured with the real one."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import httpx
import psutil

from tools.backends.build import CACHE

_CONFIGURATION: Final = Path(__file__).parents[2] / "deploy" / "scale" / "gateway.yaml"
_COLLECTOR: Final = CACHE / "bin" / "otelcol"
_HOST: Final = "127.0.0.1"
_PATIENCE: Final = 60.0  # seconds until it is ready
_HEADERS: Final = {"Content-Type": "application/x-protobuf"}


def held_bytes(requests: Iterable[tuple[bytes, int]]) -> float | None:
    """Return by how much a gateway's resident memory grows with each span that it holds, in bytes.

    Args:
        requests: bodies of OTLP requests, and how many spans each has; no root among them, which would hasten
            the decision.

    Returns:
        None if there is no Collector here; `make backends` builds one.

    Raises:
        RuntimeError: if the Collector does not start.
        httpx.HTTPError: if it refuses a request.
    """
    if not os.access(_COLLECTOR, os.X_OK):
        return None
    with _gateway() as (process, otlp), httpx.Client(trust_env=False, timeout=_PATIENCE) as client:
        before = process.memory_info().rss
        spans = 0
        for body, count in requests:
            client.post(f"{otlp}/v1/traces", content=body, headers=_HEADERS).raise_for_status()
            spans += count
        return (process.memory_info().rss - before) / spans


@contextmanager
def _gateway() -> Iterator[tuple[psutil.Process, str]]:
    """Run a gateway with the shipped configuration, and without a Kafka: no span gets so far."""
    http, *others = _free_ports(5)
    with tempfile.TemporaryDirectory() as folder:
        command = [str(_COLLECTOR), "--config", str(_CONFIGURATION)]
        environment = {**os.environ, **_environment(folder, http, others)}
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            try:
                _await(f"http://{_HOST}:{others[0]}", process)
                yield psutil.Process(process.pid), f"http://{_HOST}:{http}"
            finally:
                process.kill()


def _environment(folder: str, http: int, others: list[int]) -> Mapping[str, str]:
    health, grpc, metrics, nobody = others
    return {
        "COLLECTOR_LISTEN_HOST": _HOST,
        "COLLECTOR_OTLP_HTTP_PORT": str(http),
        "COLLECTOR_OTLP_GRPC_PORT": str(grpc),
        "COLLECTOR_HEALTH_PORT": str(health),
        "COLLECTOR_METRICS_PORT": str(metrics),
        "COLLECTOR_QUEUE_DIRECTORY": os.path.join(folder, "queue"),
        "KAFKA_BROKERS": f"{_HOST}:{nobody}",
        "METRICS_REMOTE_WRITE": f"http://{_HOST}:{nobody}/api/v1/write",
    }


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("The Collector did not start.")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _free_ports(count: int) -> list[int]:
    with ExitStack() as sockets:
        found = [sockets.enter_context(closing(socket.socket())) for _ in range(count)]
        for one in found:
            one.bind((_HOST, 0))
        return [int(one.getsockname()[1]) for one in found]
