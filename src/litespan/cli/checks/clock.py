"""Whether this machine's clock agrees with others, as far as that is known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from litespan.cli.checks.finding import Finding, not_checked, ok, problem, warning

CHECK: Final = "clock"
# The header has whole seconds, and the answer was some time under way.
_PRECISION_SECONDS: Final = 3.0
_PROBLEM_SECONDS: Final = 60.0
_SYNCHRONIZE: Final = (
    "timedatectl set-ntp true  # or whatever sets the clock of this machine, or of the other"
)


def check_clock(skews: Sequence[float], installed_at: float, now: float) -> Finding:
    """Compare clocks.

    Args:
        skews: seconds by which the endpoints are ahead, from the `Date` of their answers.
        installed_at: when litespan was installed, in seconds since the Unix epoch by its file's time.
        now: this machine's time, likewise.
    """
    if now < installed_at:
        return problem(CHECK, "is before the time at which litespan was installed", _SYNCHRONIZE)
    if not skews:
        return not_checked(CHECK, "no endpoint told its time")
    skew = max(skews, key=abs)
    if abs(skew) <= _PRECISION_SECONDS:
        return ok(CHECK, "agrees with the endpoint's, to a few seconds")
    says = f"the endpoint's is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    if abs(skew) >= _PROBLEM_SECONDS:
        return problem(
            CHECK, f"{says}: spans and metrics land at the wrong time or are refused", _SYNCHRONIZE
        )
    return warning(CHECK, f"{says}: spans of several machines do not line up", _SYNCHRONIZE)
