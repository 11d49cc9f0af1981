"""Generated: every guarded function of litespan is made to fail in turn, and the program never notices."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import litespan
from litespan import emit, guard, sources
from litespan.testing import Capture, Provider
from tests.flow.test_guard_faults import FaultError, run

pytestmark = pytest.mark.internal_errors_expected


def modules() -> Iterator[Any]:
    """Yield the modules on the program's path."""
    yield importlib.import_module("litespan.recorder")
    for package in (sources, emit):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(module.name)


def is_guarded(function: Any) -> bool:
    """Say whether a function is wrapped by the guard."""
    return inspect.isfunction(function) and function.__code__ in _wrapper_codes()


@functools.cache
def _wrapper_codes() -> frozenset[Any]:
    """Return the codes of what the guard puts around functions."""
    wrappers: tuple[Any, ...] = (guard.guarded("here"), guard.guarded_one("here"), guard.guarded_two("here"))
    return frozenset(wrap(print).__code__ for wrap in wrappers)


def guarded_functions() -> list[tuple[Any, str]]:
    """Return owner and name of every guarded function and method."""
    found: list[tuple[Any, str]] = []
    for module in modules():
        owners = [
            module,
            *(c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__),
        ]
        found += [(owner, name) for owner in owners for name, f in vars(owner).items() if is_guarded(f)]
    return [(owner, name) for owner, name in found if vars(owner)[name].__module__ == _home(owner)]


def _home(owner: Any) -> str:
    return str(owner.__name__ if inspect.ismodule(owner) else owner.__module__)


def label(target: tuple[Any, str]) -> str:
    """Name a target in the test's id."""
    return f"{target[0].__name__.rpartition('.')[2]}.{target[1]}"


@pytest.fixture
async def bare(provider: Provider) -> list[Any]:
    """Return what the program sees without litespan."""
    return await run(provider)


def test_there_are_many() -> None:
    """The generator finds the guarded functions; none would make the next test say nothing."""
    names = {label(target) for target in guarded_functions()}

    assert {
        "OpenCall.returned",
        "StreamState.failed",
        "AgentsProcessor.on_span_end",
        "CallSource._open",
    } <= names
    assert 20 <= len(names)


@pytest.mark.parametrize("target", guarded_functions(), ids=label)
async def test_a_fault_inside_the_guard_is_not_noticed(
    provider: Provider, bare: list[Any], monkeypatch: pytest.MonkeyPatch, target: tuple[Any, str]
) -> None:
    """With one guarded function failing, results, events and exceptions of the program are the bare ones."""
    owner, name = target
    wrapper = vars(owner)[name]
    cells = dict(zip(wrapper.__code__.co_freevars, wrapper.__closure__, strict=True))

    def fail(*_: Any, **__: Any) -> Any:
        raise FaultError

    with Capture():
        monkeypatch.setattr(cells["function"], "cell_contents", fail)
        assert bare == await run(provider)
        errors = litespan.stats()["internal_errors"]
        monkeypatch.undo()
    called = cells["place"].cell_contents in errors

    assert {cells["place"].cell_contents} >= set(errors)
    assert called or name in NOT_REACHED


# Guarded functions that nothing in this program reaches.
NOT_REACHED = {"drop_error_after_finish", "force_flush", "stop_asking", "_give_up", "_note_estimate"}
