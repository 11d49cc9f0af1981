"""The figures that more than one panel shows. Money is in US dollars, tokens as providers reported them."""

from __future__ import annotations

from typing import Final

from dashboards.build.promql import (
    RANGE,
    change,
    counted,
    differs,
    equals,
    or_zero,
    select,
    share,
    total,
)
from litespan import semconv

USD: Final = equals(semconv.USAGE_COST_CURRENCY, "USD")
FAILED: Final = differs(semconv.ERROR_TYPE, "")
NOT_FAILED: Final = equals(semconv.ERROR_TYPE, "")
OF_TEXT: Final = differs(semconv.OPERATION_NAME, semconv.EMBEDDINGS)
IN_AGENTS: Final = differs(semconv.AGENT_NAME, "")
OUTPUT_ONLY: Final = equals(semconv.TOKEN_TYPE, "output")


def spend(window: str, *by: str) -> str:
    """Return what calls cost."""
    return counted(semconv.COST, window, *by, where=(USD,))


def calls(window: str, *by: str, where: tuple[str, ...] = ()) -> str:
    """Return the number of model calls, failed ones included."""
    return counted(semconv.CALLS, window, *by, where=where)


def unpriced(window: str, *by: str) -> str:
    """Return the number of calls that used tokens which nobody priced; zero where calls were seen."""
    return or_zero(counted(semconv.CALLS_UNPRICED, window, *by), calls(window, *by))


def usage_missing(window: str, *by: str) -> str:
    """Return the number of calls whose usage did not arrive whole; zero where calls were seen."""
    return or_zero(counted(semconv.CALLS_USAGE_MISSING, window, *by), calls(window, *by))


def input_tokens(window: str, *by: str) -> str:
    """Return input tokens, cache reads and writes included."""
    return counted(semconv.INPUT_TOKENS, window, *by)


def output_tokens(window: str, *by: str) -> str:
    """Return output tokens, reasoning included."""
    return counted(semconv.OUTPUT_TOKENS, window, *by)


def cache_reads(window: str, *by: str) -> str:
    """Return input tokens read from a provider's prompt cache; zero where there was input."""
    return or_zero(counted(semconv.CACHE_READ_TOKENS, window, *by), input_tokens(window, *by))


def cache_writes(window: str, *by: str) -> str:
    """Return input tokens written to a provider's prompt cache; zero where there was input."""
    return or_zero(counted(semconv.CACHE_WRITE_TOKENS, window, *by), input_tokens(window, *by))


def reasoning_tokens(window: str, *by: str) -> str:
    """Return output tokens spent on reasoning; zero where there was output."""
    return or_zero(counted(semconv.REASONING_TOKENS, window, *by), output_tokens(window, *by))


def cache_hit_share(window: str, *by: str) -> str:
    """Return the share of input tokens that a provider's prompt cache gave."""
    return share(cache_reads(window, *by), input_tokens(window, *by))


def reasoning_share(window: str, *by: str) -> str:
    """Return the share of output tokens that was reasoning."""
    return share(reasoning_tokens(window, *by), output_tokens(window, *by))


def savings(window: str, *by: str) -> str:
    """Return what the prompt cache saved; below zero if writing to it cost more. Zero where calls cost."""
    saved = total(change(select(semconv.CACHE_SAVINGS, USD), window), *by)
    return or_zero(saved, spend(window, *by))


def runs(window: str, *by: str, where: tuple[str, ...] = ()) -> str:
    """Return the number of runs; a run inside a tool of another run is part of that one."""
    return counted(semconv.RUNS, window, *by, where=where)


def calls_per_run(window: str, *by: str) -> str:
    """Return the model calls of agents divided by the runs."""
    return share(calls(window, *by, where=(IN_AGENTS,)), runs(window, *by))


def failed_share(window: str, *by: str) -> str:
    """Return the share of calls that raised an error; zero where calls were seen."""
    every = counted(semconv.OPERATION_DURATION, window, *by, part="count")
    failed = counted(semconv.OPERATION_DURATION, window, *by, where=(FAILED,), part="count")
    return share(or_zero(failed, every), every)


def requests_per_call(window: str, *by: str) -> str:
    """Return the HTTP requests divided by the calls; above one, calls were tried again."""
    return share(counted(semconv.CALL_ATTEMPTS, window, *by), calls(window, *by))


def tokens_per_second(window: str, *by: str) -> str:
    """Return the output tokens of calls that did not fail, divided by the time of these calls."""
    tokens = counted(semconv.TOKEN_USAGE, window, *by, where=(OUTPUT_ONLY,), part="sum")
    seconds = counted(semconv.OPERATION_DURATION, window, *by, where=(NOT_FAILED, OF_TEXT), part="sum")
    return share(tokens, seconds)


def blind_spots(window: str = RANGE) -> tuple[tuple[str, str], ...]:
    """Return the two counts that stand beside every total, each with its name."""
    return (UNPRICED, unpriced(window)), (USAGE_MISSING, usage_missing(window))


UNPRICED: Final = "Calls without a price"
USAGE_MISSING: Final = "Calls without usage"
