"""Every process of the chain is killed and stopped under load: only what the documentation names is lost."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import not_
from pathlib import Path
from typing import Final

import click
import pytest

from tests.integration.servers.server import wait_for
from tests.integration.servers.stack import ARRIVAL
from tests.scale.arrivals import Arrivals
from tests.scale.driver import Driver, Sent
from tests.scale.programs import play_programs
from tests.scale.runs import dear_at_its_end, one_of_each
from tests.scale.servers.chain import LIMITS, ON_THE_WAY, WINDOW, Chain, running_chain

SPANS_PER_SECOND: Final = 200
BATCH: Final = 128  # spans of a request: several a second
MORE: Final = 20  # runs that are accepted while a process is away

pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True)
class Interruption:
    """A process got a signal, was gone, and was back; readings of `time.monotonic`, in seconds."""

    process: str
    signal: signal.Signals
    signalled: float
    gone: float
    back: float

    @property
    def of_gateway(self) -> bool:
        """Whether it was a gateway: the one process that the documentation says to lose spans."""
        return self.process.startswith("gateway")

    def may_lose(self, run: Sent) -> bool:
        """Say whether the documentation says that spans of the run may be lost.

        Killed: those of runs that the gateway had not decided about. Stopped: those of runs that were under
        way, and of which nothing had told yet that they would be dear.
        """
        if not self.of_gateway or run.begin > self.gone:
            return False
        if self.signal == signal.SIGKILL:
            return self.signalled <= run.end + WINDOW
        return self.signalled <= run.end + ON_THE_WAY and run.copy.run.told_at_its_end

    def __str__(self) -> str:
        return (
            f"{self.process:9} {self.signal.name}: gone after {self.gone - self.signalled:4.1f} s, "
            f"back after {self.back - self.gone:4.1f} s"
        )


@dataclass
class Story:
    """What happens to a chain under load."""

    chain: Chain
    sending: Driver
    arrivals: Arrivals
    lost: dict[Interruption, int] = field(default_factory=dict)

    def settle(self) -> None:
        """Wait until all that was accepted so far is in Jaeger, and nothing lacks but what may be lost.

        Raises:
            AssertionError: if more is lost.
        """
        now = time.monotonic()
        wait_for(lambda: self._lost_elsewhere(now), "nothing else is lost", ARRIVAL, not_)

    def interrupt(self, name: str, number: signal.Signals) -> None:
        """End a process, let the others go on, start it again."""
        process = self.chain.processes[name]
        signalled = time.monotonic()
        process.end(number)
        gone = time.monotonic()
        if process is self.chain.agent:
            self.sending.wait_for_refusal()
        else:
            self.sending.wait_for_more(MORE)
        process.restart()
        self.lost[Interruption(name, number, signalled, gone, time.monotonic())] = 0
        self.settle()

    def _lost_elsewhere(self, now: float) -> Mapping[str, str]:
        """Count what each interruption lost; return what no interruption may lose."""
        lacking = self.arrivals.lacking(now)
        elsewhere = {}
        self.lost = dict.fromkeys(self.lost, 0)
        for trace_id, missing in lacking.items():
            run = self.sending.runs[trace_id]
            reasons = [found for found in self.lost if found.may_lose(run)]
            if reasons:
                self.lost[reasons[-1]] += missing
            else:
                elsewhere[trace_id] = f"{missing} spans, {now - run.end:.1f} s ago"
        return elsewhere


def test_only_gateways_lose(tmp_path: Path) -> None:
    """Of all that the agent accepted, only runs that a gateway had not decided about lack spans."""
    with running_chain(tmp_path) as chain:
        runs = play_programs(chain.otlp, tmp_path, LIMITS, ["program"])["program"]
        of_kind = one_of_each(runs, LIMITS)
        kept = [of_kind["failing"], of_kind["dear"], of_kind["slow"], dear_at_its_end(of_kind["dear"])]
        with Driver(chain.otlp, kept, SPANS_PER_SECOND, BATCH) as sending:
            story = Story(chain, sending, Arrivals(chain.jaeger.api, sending.runs))
            sending.wait_for_more(MORE)
            story.settle()
            for number in (signal.SIGKILL, signal.SIGTERM):
                for name in interrupted(chain):
                    story.interrupt(name, number)
        story.settle()

    click.echo(f"{len(sending.runs)} runs of {sending.spans} spans accepted, {sending.refused} refusals")
    for found, spans in story.lost.items():
        click.echo(f"{found}, lost {spans} spans")
        # Not nothing: else the test would not have looked at what the documentation names.
        assert spans or not found.of_gateway or found.signal == signal.SIGTERM, found


def interrupted(chain: Chain) -> list[str]:
    """Return the processes that are ended: one gateway stands for all; a broker in memory keeps nothing."""
    others = {gateway.gateway for gateway in chain.gateways[1:]}
    kept = set() if chain.broker.keeps else {"kafka"}
    return [name for name in chain.processes if name not in others | kept]
