"""Pieces of PromQL. They run on a plain Prometheus 3 and on Mimir.

The usual ``increase()`` and ``rate()`` need two samples of a series in their window and extrapolate between
them. A process that lived for seconds has one sample, sent at its end, and would show nothing. Here the fact
is used that each process is a series of its own (``service.instance.id``) and counts from zero: what it
counted in a window is its last value in the window minus its last value before it, or its last value alone if
there was none before. Sums over windows that follow each other are the sum over all of them.
"""

from __future__ import annotations

import re
from typing import Final

from dashboards.build import filters
from dashboards.build.names import label, series
from litespan.semconv import Metric

# Windows that Grafana fills in: the panel's whole time, one step of a curve, and a window for rates.
RANGE: Final = "$__range"
STEP: Final = "$__interval"
RATE: Final = "$__rate_interval"
DAY: Final = "1d"
WEEK: Final = "7d"

# How far back the last value before a window is looked for. A process that was not heard of for longer is
# taken for a new one, and all it has ever counted is counted once more; a longer time costs more to read.
MEMORY: Final = "1h"


def equals(attribute: str, value: str) -> str:
    """Return the condition that a label has this value; an empty value stands for no label."""
    return f'{label(attribute)}="{value}"'


def differs(attribute: str, value: str) -> str:
    """Return the condition that a label does not have this value."""
    return f'{label(attribute)}!="{value}"'


def select(metric: Metric, *conditions: str, part: str = "") -> str:
    """Return the selector of a metric, under all variables whose label it has."""
    matchers = [choice.matcher for choice in filters.ALL if choice.applies_to(metric)]
    return f"{series(metric, part)}{{{', '.join([*matchers, *conditions])}}}"


def increase(selected: str, window: str) -> str:
    """Return what the counters rose by in the window.

    A process that came back under the same instance id counts from zero again: its last value then lies below
    the one before, and is what it counted at least.
    """
    last, before = _ends(selected, window)
    return f"({last} - {before} >= 0 or {last})"


def change(selected: str, window: str) -> str:
    """Return the change of sums that may fall as well as rise."""
    last, before = _ends(selected, window)
    return f"({last} - {before} or {last})"


def _ends(selected: str, window: str) -> tuple[str, str]:
    return f"last_over_time({selected}[{window}])", f"last_over_time({selected}[{MEMORY}] offset {window})"


def total(vector: str, *by: str) -> str:
    """Return the sum over all series, or by these attributes."""
    return f"sum {_by(*by)}({vector})" if by else f"sum({vector})"


def counted(metric: Metric, window: str, *by: str, where: tuple[str, ...] = (), part: str = "") -> str:
    """Return what was counted in the window; ``part`` of a histogram is ``sum`` or ``count``."""
    return total(increase(select(metric, *where, part=part), window), *by)


def quantile(q: float, metric: Metric, window: str, *by: str, where: tuple[str, ...] = ()) -> str:
    """Return a quantile of a histogram in the window; it is exact to the width of a bucket."""
    buckets = increase(select(metric, *where, part="bucket"), window)
    return f"histogram_quantile({q}, sum {_by('le', *by)}({buckets}))"


def mean(metric: Metric, window: str, *by: str, where: tuple[str, ...] = ()) -> str:
    """Return the mean of a histogram in the window."""
    whole, count = (counted(metric, window, *by, where=where, part=part) for part in ("sum", "count"))
    return share(whole, count)


def share(part: str, whole: str) -> str:
    """Return one vector divided by another; nothing where the divisor is zero."""
    return f"{part} / ({whole} > 0)"


def share_of_all(parts: str, whole: str) -> str:
    """Return each of the parts divided by one number; nothing where that is zero."""
    return f"{parts} / on () group_left () ({whole} > 0)"


def or_zero(vector: str, witness: str) -> str:
    """Return the vector, and zeros where it has nothing and the witness, of the same labels, has something.

    A witness without labels adds one series of zeros to a vector that has some.
    """
    return f"({vector} or 0 * {witness})"


def filtered_alike(query: str) -> str:
    """Return a query without the variables that not all of its metrics follow.

    A share whose parts follow different variables is wrong as soon as one of these is set.
    """
    selected = re.findall(r"\{([^}]*)\}", query)
    for choice in filters.ALL:
        if not all(choice.matcher in conditions for conditions in selected):
            query = query.replace(f", {choice.matcher}", "")
    return query


def named(vector: str, attribute: str, name: str) -> str:
    """Return the vector with a name in place of an attribute that is not there."""
    return f'label_replace({vector}, "{label(attribute)}", "{name}", "{label(attribute)}", "")'


def _by(*attributes: str) -> str:
    return f"by ({', '.join(label(attribute) for attribute in attributes)}) "
