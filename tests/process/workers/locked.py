"""A program that forks while another thread holds every lock of litespan and of OpenTelemetry."""

import asyncio
import faulthandler
import gc
import json
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from agent import answer  # type: ignore[import-not-found]

import litespan

PACKAGES = ("litespan", "opentelemetry")
LOCKS = (type(threading.Lock()), type(threading.RLock()))
# Held only while a provider is made. The SDK itself takes it in a forked child.
EXCEPTIONS = {"_service_instance_id_lock"}


def locks() -> dict[int, Any]:
    """Return all locks, by identity: of objects, of classes, of modules, and those inside conditions."""
    owners: list[Any] = [m for name, m in sys.modules.items() if name.startswith(PACKAGES)]
    for thing in gc.get_objects():
        module = getattr(thing, "__module__", None) if isinstance(thing, type) else type(thing).__module__
        if isinstance(module, str) and module.startswith(PACKAGES):
            owners.append(thing)
    return {id(lock): lock for owner in owners for lock in locks_of(owner)}


def locks_of(owner: Any) -> Iterator[Any]:
    """Yield the locks that an object holds under a name."""
    for name, value in getattr(owner, "__dict__", {}).items():
        condition = getattr(value, "_cond", None) if isinstance(value, threading.Event) else value
        lock = getattr(condition, "_lock", None) if isinstance(condition, threading.Condition) else value
        if isinstance(lock, LOCKS) and name not in EXCEPTIONS:
            yield lock


def hold(found: dict[int, Any], held: threading.Event, release: threading.Event) -> None:
    """Take all locks, and give them back when asked to."""
    taken = [lock for lock in found.values() if lock.acquire(timeout=5)]
    assert len(taken) == len(found)
    held.set()
    release.wait(60)
    for lock in taken:
        lock.release()


def ask() -> None:
    """Ask the agent."""
    asyncio.run(answer("What is a span?"))


def in_child() -> None:
    """Ask in the forked process, and end it."""
    faulthandler.dump_traceback_later(40, exit=True)
    ask()
    flushed = litespan.flush(20)
    sys.stdout.write(json.dumps({"flushed": flushed, "errors": litespan.stats()["internal_errors"]}))
    sys.stdout.flush()
    os._exit(0)


litespan.configure(capture_content="SPAN_AND_EVENT", logs_exporter="otlp")
ask()
assert litespan.flush(20)
found, held, release = locks(), threading.Event(), threading.Event()
assert len(found) > 100
holder = threading.Thread(target=hold, args=(found, held, release))
holder.start()
held.wait(30)
child = os.fork()
if child == 0:
    in_child()
_, status = os.waitpid(child, 0)
release.set()
holder.join()
ask()
sys.exit(os.waitstatus_to_exitcode(status))
