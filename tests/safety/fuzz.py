"""Run with `make fuzz ARGS="--examples 100000"`: everything that litespan reads, given anything.

Prints how many examples each target got, how long the slowest took in seconds of CPU, and what failed.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.safety.fuzz_targets import Target

LONGEST = 1.0  # seconds of CPU for one example


@dataclass
class Outcome:
    """What became of a target.

    Attributes:
        examples: how many it got.
        slowest: the most seconds of CPU that one of them took.
        problem: what failed last, which is the smallest example that does; empty if all went well.
    """

    examples: int = 0
    slowest: float = 0.0
    problem: str = ""


def fuzz(target: Target, examples: int, seed: int | None = None) -> Outcome:
    """Give a target so many examples; stop at the first that fails or takes too long."""
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings
    from hypothesis import seed as seeded

    from tests.safety.fuzz_targets import observing

    outcome = Outcome()
    tried: Any = None

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        derandomize=seed is None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,  # it would ask values to print themselves
    )
    @given(value=target.values)
    def run(value: Any) -> None:
        nonlocal tried
        tried = value
        outcome.examples += 1
        seconds = seconds_of(target, value)
        outcome.slowest = max(outcome.slowest, seconds)
        assert seconds < LONGEST, f"{seconds:.1f} s"

    try:
        with observing():
            (run if seed is None else seeded(seed)(run))()
    except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
        # Hypothesis tries the smallest example that fails once more at the end.
        outcome.problem = f"{traceback.format_exc()}\n{described(tried)}"
    return outcome


def seconds_of(target: Target, value: Any) -> float:
    """Try an example, and return the seconds of CPU that it took, without those of the garbage collector.

    The collector walks through all that the examples before have left, for longer than most examples take.
    """
    gc.disable()
    try:
        began = time.thread_time()
        target.try_it(value)
        return time.thread_time() - began
    finally:
        gc.enable()


def described(value: Any) -> str:
    """Return a value as text, as far as it lets itself be printed."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - some of the values fail on purpose
        return f"a value that cannot be printed: {type(error).__name__}"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Fuzz all targets and print the table; 1 if something failed."""
    from tests.isolation import clean_environment

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=5_000, help="all targets together; default: 5,000")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other examples; default: 0")
    options = parser.parse_args(arguments)
    clean_environment(os.environ)
    from tests.safety.fuzz_targets import TARGETS

    # The guard tells of every value that fails on purpose; what counts is in the table.
    logging.getLogger("litespan").setLevel(logging.CRITICAL)
    failed = False
    say(f"{'target':28} {'examples':>9} {'slowest':>9}")
    for name, target in TARGETS.items():
        outcome = fuzz(target, -(-options.examples // len(TARGETS)), options.seed)
        failed = failed or bool(outcome.problem)
        verdict = "FAILED" if outcome.problem else ""
        say(f"{name:28} {outcome.examples:9,} {outcome.slowest:7.3f} s {verdict}")
        if outcome.problem:
            say(outcome.problem)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
