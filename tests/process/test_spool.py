"""What survives in a spool: kills at any moment, many processes on one folder, forks."""

from __future__ import annotations

import contextlib
import glob
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.otlp_server import collector, dead_endpoint
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.timeout(180),
]

PROGRAM = Path(__file__).with_name("spool_program.py")
BATCH = 64


@contextlib.contextmanager
def program(  # noqa: PLR0913 - what a program is told
    spool: Path,
    endpoint: str,
    name: str,
    spans: int,
    pause: float = 0.0,
    *,
    delay: float = 0.1,
    wait: bool = False,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program with a spool; it is killed at the end, if it still runs."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), name, str(spans), str(pause), "wait" if wait else "exit"],
        env={
            **os.environ,
            "LITESPAN_SPOOL_DIR": str(spool),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": str(BATCH),
            "OTEL_BSP_SCHEDULE_DELAY": str(int(delay * 1000)),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[bytes]) -> int:
    """Return the number of spans that the program says it has ended, after its end."""
    assert process.stdout
    return len(process.stdout.read().splitlines())


def inherit(spool: Path, heirs: int = 1) -> Counter[str]:
    """Let other processes send what is in the spool; return how often each span arrived."""
    with collector() as received, contextlib.ExitStack() as stack:
        for _ in range(heirs):
            stack.enter_context(program(spool, received.endpoint, "heir", 0, wait=True))
        wait_until(lambda: not spooled(spool), 60)
        return Counter(span.name for span in received.spans())


@pytest.mark.parametrize("attempt", range(3))
def test_kill_costs_the_last_batch_at_most(tmp_path: Path, attempt: int) -> None:
    """After SIGKILL at a random moment, all spans but those of the last unwritten batch arrive, once.

    A program goes on while its batch is being written, so what ends meanwhile is lost too. Its pace gives
    the disk half a second for a batch.
    """
    with program(tmp_path, dead_endpoint(), "span", 100_000, 0.5 / BATCH, delay=60.0) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(random.randrange(150, 450))]  # noqa: S311
        process.send_signal(signal.SIGKILL)
        process.wait()
        number = len(lines) + ended(process)
    arrived = inherit(tmp_path)

    assert arrived == Counter(f"span {n}" for n in range(len(arrived)))
    assert number - len(arrived) < 2 * BATCH


def test_kill_while_it_sends(tmp_path: Path) -> None:
    """A program that is killed while the receiver holds its request has the batch on the disk."""
    with (
        collector(mode="black_hole") as received,
        program(tmp_path, received.endpoint, "span", 10, wait=True) as process,
    ):
        assert received.arrived.wait(30)
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(10)]
        wait_until(lambda: written(tmp_path, "span") == 10, 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        number = len(lines) + ended(process)
    assert (number, Counter(f"span {n}" for n in range(10))) == (10, inherit(tmp_path))


def test_many_processes_share_a_folder(tmp_path: Path) -> None:
    """Of six programs, some of them killed, every written span arrives exactly once, sent by three heirs."""
    endpoint = dead_endpoint()
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(program(tmp_path, endpoint, f"p{n}", 300, wait=n % 2 == 0)) for n in range(6)
        ]
        for number, process in enumerate(processes):
            if number % 2 == 0:
                assert process.stdout
                for _ in range(300):
                    process.stdout.readline()
                wait_until(lambda n=number: written(tmp_path, f"p{n}") == 300, 60)  # type: ignore[misc]
                process.send_signal(signal.SIGKILL)
            process.wait()
    arrived = inherit(tmp_path, heirs=3)

    assert arrived == Counter(f"p{n} {number}" for n in range(6) for number in range(300))


def spooled(spool: Path) -> list[str]:
    """Return the files of a spool; ``Path.glob`` would raise if a folder is removed meanwhile."""
    return glob.glob(f"{spool}/*/*.spool")


def written(spool: Path, name: str) -> int:
    """Return the number of spans of a program in the files of the spool."""
    from litespan.export.otlp.requests_pb import NAMES
    from litespan.export.spool.segment import Segment

    number = 0
    for path in spooled(spool):
        with contextlib.suppress(FileNotFoundError):
            segment = Segment(path)
            place = segment.sent
            while found := segment.next(place):
                place = found.end
                if found.batch:
                    request = NAMES["traces"].request()
                    request.ParseFromString(found.batch.payload)
                    spans = request.resource_spans[0].scope_spans[0].spans
                    number += sum(span.name.startswith(f"{name} ") for span in spans)
            segment.close()
    return number


FORK = """
import os, sys
from litespan.export.pipeline import build
from litespan.settings import load_settings

pipeline = build(load_settings())
tracer = pipeline.tracer_provider.get_tracer("test")

def work(name):
    with tracer.start_as_current_span(name):
        pass

work("parent before")
assert not pipeline.flush(5)
counted, all_counted = os.pipe(), os.pipe()
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        work(f"child {number}")
        pipeline.flush(5)
        stats = pipeline.stats()["traces"]
        # A child that ended leaves its spans to whoever starts next, so all count before the first ends.
        os.write(counted[1], b".")
        os.read(all_counted[0], 1)
        pipeline.shutdown(5)
        os._exit(0 if (stats["handed_over"], stats["spooled"]) == (1, 1) else 9)
    children.append(child)
for _ in children:
    os.read(counted[0], 1)
os.write(all_counted[1], b"." * len(children))
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
work("parent after")
assert not pipeline.flush(5)
assert pipeline.stats()["traces"]["spooled"] == 2
pipeline.shutdown(5)
"""


def test_forked_children_have_folders_of_their_own(tmp_path: Path) -> None:
    """Parent and children keep their own spans only; all arrive once although none could be sent."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK],
        env={
            **os.environ,
            "LITESPAN_SPOOL_DIR": str(tmp_path),
            "OTEL_EXPORTER_OTLP_ENDPOINT": dead_endpoint(),
            "OTEL_METRICS_EXPORTER": "none",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (0, False) == (done.returncode, "Traceback" in done.stderr), done.stderr
    assert len([*tmp_path.iterdir()]) == 4
    names = ["parent before", "child 0", "child 1", "child 2", "parent after"]
    assert Counter(names) == inherit(tmp_path)
