"""Rules for every test: no network, a clean environment, and no fault of litespan goes unseen."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from litespan import guard
from tests.isolation import (
    clean_environment,
    drop_waiting_callbacks,
    heed_interrupts,
    refuse_foreign_hosts,
)
from tests.unraisable import report_those_of_litespan

# Before any test module imports a host: LiteLLM reads its variables, and would fetch prices, when imported.
clean_environment(os.environ)
heed_interrupts()

# A busy machine is slow, which is no fault of what is tested.
settings.register_profile("any-speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-speed")


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse connections and look-ups that leave this machine."""
    with pytest.MonkeyPatch.context() as patch:
        refuse_foreign_hosts(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def no_notes_on_leftovers_of_earlier_tests() -> None:
    """Leave out of the log what is said when the garbage collector finds connections or tasks that were left.

    LiteLLM keeps connections, and some tests leave loops with tasks in them. It is said in the middle of some
    later test, which may look at its log, or as the process ends.
    """

    def says_something_else(record: logging.LogRecord) -> bool:
        # The first is aiohttp's, the last of a client that its library closes in a loop that has ended.
        said = record.getMessage()
        left = ("Unclosed c", "Task was destroyed", "Task exception was never retrieved")
        return not said.startswith(left) and "AsyncClient.aclose()" not in said

    logging.getLogger("asyncio").addFilter(says_something_else)


@pytest.fixture(autouse=True)
def no_callbacks_of_earlier_tests() -> Iterator[None]:
    """Let nothing that LiteLLM does in the background go on in the next test."""
    yield
    drop_waiting_callbacks()


@pytest.fixture(autouse=True)
def no_internal_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test if litespan's guard caught something, unless the test is marked to expect that.

    So does what litespan raised where nothing can be caught, as in what the garbage collector closes.
    """
    faults: list[str] = []

    def listen(place: str, error: Exception) -> None:
        faults.append(f"in {place}:\n{''.join(traceback.format_exception(error))}")

    guard.reset()
    guard.add_listener(listen)
    with pytest.MonkeyPatch.context() as patch:
        report_those_of_litespan(patch, faults.append)
        yield
    guard.remove_listener(listen)
    if faults and request.node.get_closest_marker("internal_errors_expected") is None:
        pytest.fail("litespan failed inside, " + "\n".join(faults), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In continuous integration a skipped test has failed: what it needs has to be installed there."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr}"
    return report
