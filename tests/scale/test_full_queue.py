"""A gateway whose disk is full waits: the agents keep what it does not take, and nothing is lost."""

from __future__ import annotations

import signal
from functools import partial
from operator import eq
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.integration.servers.server import wait_for
from tests.integration.servers.stack import ARRIVAL
from tests.scale.prompts import HEADERS, SERVICE, TRACES, request
from tests.scale.servers.collectors import Agent, Gateway
from tests.scale.servers.ingester import Ingester
from tests.scale.servers.kafka import broker

pytestmark = pytest.mark.timeout(300)

QUEUE_BYTES: Final = 1_500_000


def test_nothing_is_lost_when_a_gateways_disk_is_full(tmp_path: Path) -> None:
    """Kafka is away for longer than a gateway's queue lasts; afterwards every accepted trace arrives."""
    kafka = broker(tmp_path)
    everything = {"SAMPLING_AFTER_ROOT": "1s", "SAMPLING_PERCENT": "100", "KAFKA_CREATES_TOPIC": "true"}
    gateway = Gateway(
        tmp_path / "gateway",
        "gateway-1",
        kafka.address,
        "http://127.0.0.1:9/api/v1/write",
        {**everything, "GATEWAY_QUEUE_BYTES": str(QUEUE_BYTES)},
    )
    agent = Agent(tmp_path / "agent", [gateway.grpc], gateway.otlp)
    jaeger = Ingester(tmp_path, kafka.address)
    with kafka, gateway, agent, jaeger:
        kafka.end(signal.SIGKILL)
        sent = send_until_it_waits(agent, gateway)
        kafka.restart()
        wait_for(lambda: len(jaeger.api.traces(SERVICE)), f"{sent} traces", ARRIVAL, partial(eq, sent))


def send_until_it_waits(agent: Agent, gateway: Gateway) -> int:
    """Send until the gateway has no room, and then as much again; return how many traces were accepted."""
    sent = 0
    with httpx.Client(base_url=agent.otlp, headers=HEADERS, trust_env=False, timeout=30.0) as client:

        def send_more() -> float:
            nonlocal sent
            client.post("/v1/traces", content=request().SerializeToString()).raise_for_status()
            sent += TRACES
            return agent.metrics.total("otelcol_exporter_queue_size", exporter="load_balancing")

        wait_for(
            send_more,
            "more waits at the agent than the gateway has",
            until=lambda size: size > 2 * QUEUE_BYTES,
        )
    assert gateway.queued() > QUEUE_BYTES / 2
    return sent
