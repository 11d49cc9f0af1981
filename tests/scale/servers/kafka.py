"""A real Kafka: Apache's on Java, or kfake, a broker in memory, where there is no Java."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.fakes.ports import free_port
from tests.integration.servers.server import LOOPBACK
from tests.scale.servers.process import Process, stored_bytes
from tools.backends.build import CACHE

TOPIC: Final = "otlp_spans"
PARTITIONS: Final = 4

_CLUSTER: Final = "bGl0ZXNwYW4tdGVzdHMtMQ"  # an id in Kafka's form: 16 bytes in base64

# One node that is broker and controller. Its internal topics have no other node to be copied to, and nobody
# waits for further consumers before the first one gets its partitions.
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
log.dirs={data}
num.partitions={partitions}
message.max.bytes=8388608
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class Broker(Process):
    """A Kafka of one node. ``address`` is host:port; ``keeps`` says whether it outlives a kill."""

    keeps: bool

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self.data = self.folder / "data"

    def topic_bytes(self) -> int:
        """Return what the spans of the topic take on the disk."""
        return sum(stored_bytes(folder) for folder in self.data.glob(f"{TOPIC}-*"))

    def _ready_or_gone(self) -> bool:
        with socket.socket() as probe:
            return not self.running or probe.connect_ex((LOOPBACK, self.port)) == 0


class ApacheKafka(Broker):
    """Apache Kafka with KRaft; its log is in its folder. Topics are made when they are first written to."""

    name = "kafka"
    keeps = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._properties = self.folder / "server.properties"
        settings = _PROPERTIES.format(
            host=LOOPBACK, port=self.port, controller=free_port(), data=self.data, partitions=PARTITIONS
        )
        self._properties.write_text(settings, encoding="utf-8")

    def start(self) -> None:
        """Format the folder of a new node, then start it."""
        if not self.data.exists():
            command = [self._binary, "kafka.tools.StorageTool", "format", "-t", _CLUSTER]
            command += ["-c", str(self._properties)]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        super().start()

    def arguments(self) -> Sequence[str]:
        """Return the main class and its configuration."""
        return ["kafka.Kafka", str(self._properties)]


class Kfake(Broker):
    """A broker in memory: enough to see spans go through, but a kill takes all that it has."""

    name = "kfake"
    keeps = False

    def arguments(self) -> Sequence[str]:
        """Return the arguments of the command."""
        return [f"-port={self.port}", f"-topic={TOPIC}", f"-partitions={PARTITIONS}"]


def broker(folder: Path) -> Broker:
    """Return Apache Kafka if it was built, else kfake; the test is skipped if there is neither."""
    apache = os.access(CACHE / "bin" / ApacheKafka.name, os.X_OK)
    return ApacheKafka(folder) if apache else Kfake(folder)
