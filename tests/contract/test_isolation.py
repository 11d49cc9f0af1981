"""The rules that conftest.py lays on every test do bite."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from litespan import guard
from tests.fakes.ports import free_port
from tests.isolation import NetworkBlockedError, clean_environment

ROOT = Path(__file__).parents[2]

INNER = '''
import weakref
import pytest
import litespan
from litespan import guard

class Kept:
    """Something that a program keeps."""

def when_it_goes(fail):
    kept = Kept()
    return weakref.ref(kept, lambda _: fail())  # which goes here

@guard.guarded("the inner test")
def fail():
    raise RuntimeError("a fault of litespan")

def test_hides_a_fault():
    """A fault inside."""
    fail()

def test_raises_where_nobody_can_catch():
    """A fault in what the garbage collector runs."""
    when_it_goes(lambda: litespan.no_such_name)

def test_of_a_host_where_nobody_can_catch():
    """The same, of somebody else."""
    when_it_goes(lambda: int("not ours"))

@pytest.mark.internal_errors_expected
def test_expects_a_fault():
    """A fault that is expected."""
    fail()

def test_skips():
    """A tool is missing."""
    pytest.skip("no such tool")

@pytest.mark.xfail(strict=True)
def test_known_gap():
    """A declared gap."""
    assert False
'''


@pytest.mark.parametrize(("ci", "failed"), [("true", 1), ("", 0)])
def test_faults_and_skips(ci: str, failed: int) -> None:
    """A fault behind the guard fails its test unless marked; a skip fails in CI; a declared gap never."""
    result = run_inner(ci)

    assert "litespan failed inside, in the inner test" in result
    assert "RuntimeError: a fault of litespan" in result
    assert "litespan failed inside, nobody could catch AttributeError of " in result
    summary = result.strip().splitlines()[-1]
    assert ("2 errors" in summary, f"{failed} failed" in summary, "1 xfailed" in summary) == (
        True, bool(failed), True,
    ), summary  # fmt: skip


def run_inner(ci: str) -> str:
    """Run the inner tests beside this file, so that the same conftest.py rules them; return the output."""
    path = Path(__file__).with_name(f"inner_{os.getpid()}_{ci or 'none'}.py")
    path.write_text(INNER, encoding="utf-8")
    try:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(path)],
            cwd=ROOT,
            env={**os.environ, "CI": ci},
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    finally:
        path.unlink()


def test_foreign_hosts_are_refused() -> None:
    """A name or an address that is not on this machine cannot be reached from a test."""
    with pytest.raises(NetworkBlockedError, match=r"api\.openai\.com"):
        socket.getaddrinfo("api.openai.com", 443)
    with socket.socket() as client, pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1"):
        client.connect(("192.0.2.1", 443))


def test_loopback_is_open() -> None:
    """A server on this machine can be reached by name and by address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, server.getsockname()[1]), timeout=5).close()


def test_environment_is_cleaned() -> None:
    """Keys, endpoints and settings of whoever runs the tests are gone; other variables stay."""
    environ = {
        "OPENAI_API_KEY": "a",
        "MISTRAL_API_KEY": "b",
        "OTEL_TRACES_EXPORTER": "otlp",
        "https_proxy": "c",
        "PATH": "d",
    }
    clean_environment(environ)

    assert {"PATH": "d", "LITELLM_LOCAL_MODEL_COST_MAP": "True"} == environ


@pytest.mark.internal_errors_expected
def test_counts_start_at_zero() -> None:
    """A fault of an earlier test is not counted in this one."""
    assert {} == guard.internal_errors()
    guard.report("here", RuntimeError())
    assert {"here": 1} == guard.internal_errors()


def test_a_free_port_is_none_that_the_system_gives_away() -> None:
    """A port for a server lies below those of connections, which could take it first, and is given once."""
    ports = [free_port() for _ in range(20)]

    assert max(ports) < 32_768
    assert 20 == len(set(ports))
