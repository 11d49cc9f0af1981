"""The descriptions of panels: the question, how exact the answer is, and which variables it follows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dashboards.build.filters import ALL

# How exact the figures are.
COUNTED: Final = (
    "Exact, also for a process that lived for seconds and exported once: what a process counted before the "
    "time shown is taken off its last value. A process that was silent for the whole hour before is counted "
    "from its start."
)
PRICED: Final = "It has the calls that have a price, in USD. " + COUNTED
BUCKETS: Final = "Quantiles are exact to the width of a histogram bucket, counts and means are exact."
EXEMPLARS: Final = (
    "Cells count what lies in a histogram bucket, exactly. Points are single measurements; click one to open "
    "its trace. Only metrics that are pushed have them."
)
NOW: Final = "The value of the last export of each process, for up to five minutes after it."


def described(question: str, exactness: str, exprs: Sequence[str]) -> str:
    """Return a panel's description; the variables are those of its queries."""
    return f"{question} {exactness}\n\n{_variables(exprs)}"


def _variables(exprs: Sequence[str]) -> str:
    """Say which variables all figures of a panel follow, and which only some do."""
    selectors = [conditions for expr in exprs for conditions in re.findall(r"\{([^}]*)\}", expr)]
    followed = {choice: sum(choice.matcher in conditions for conditions in selectors) for choice in ALL}
    wholly = [choice.title for choice, count in followed.items() if count == len(selectors)]
    partly = [choice.title for choice, count in followed.items() if 0 < count < len(selectors)]
    if len(wholly) == len(ALL):
        return "Follows all variables."
    more = f" Some of its figures follow {', '.join(partly)} as well." if partly else ""
    rest = "" if len(wholly) + len(partly) == len(ALL) else " The others do not reach it."
    return f"Follows the variables {', '.join(wholly)}.{more}{rest}"
