"""The shipped panels and rules, tried on a Prometheus; each finding names the panel or the rule."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final, NamedTuple

from dashboards.build import queries
from tests.integration.servers.prometheus_api import PrometheusApi, Sample
from tests.stack.dashboard_files import UIDS, read, selectors, targets, variables
from tests.stack.promql_names import names
from tests.stack.rule_files import RULES, sources

Exposed = Mapping[str, frozenset[str]]

_SPAN: Final = "1h"
_CURVE_SECONDS: Final = 600.0
_STEP_SECONDS: Final = 60.0


class Shown(NamedTuple):
    """One query of a panel, and what the panel calls it: a legend, or a column's title."""

    dashboard: str
    panel: str
    name: str
    expr: str
    instant: bool
    unit: str

    @property
    def title(self) -> str:
        """What a finding calls it."""
        return f"{self.panel} / {self.name}"


def shown() -> Iterator[Shown]:
    """Yield every query of every dashboard."""
    for uid_of_file in UIDS:
        for panel, target in targets(read(uid_of_file)):
            unit = panel["fieldConfig"]["defaults"]["unit"]
            name = _name(panel, target)
            yield Shown(uid_of_file, panel["title"], name, target["expr"], bool(target["instant"]), unit)


def _name(panel: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    columns: dict[str, str] = {}
    for transformation in panel.get("transformations", ()):
        columns |= transformation["options"].get("renameByName", {})
    column = columns.get(f"Value #{target['refId']}") or columns.get("Value")
    return column or str(target["legendFormat"])


ALL: Final = tuple(shown())


def find(panel: str, name: str) -> Shown:
    """Return the one query of that name in the panel of that title."""
    (found,) = (one for one in ALL if (one.panel, one.name) == (panel, name))
    return found


def exposed(api: PrometheusApi, service: str) -> Exposed:
    """Return every series that a service has in Prometheus, with the labels that it was seen with."""
    found: dict[str, frozenset[str]] = {}
    for labels in api.series(f'{{service_name="{service}"}}'):
        name = labels["__name__"]
        found[name] = found.get(name, frozenset()) | labels.keys()
    return found


def unknown_names(seen: Exposed) -> list[str]:
    """Return the metrics and labels that panels ask for and nobody has exposed."""
    found = []
    for one in ALL:
        used = names(queries.substitute(one.expr))
        found += [f"{one.title}: no metric {name}" for name in sorted(used.metrics - seen.keys())]
        known = frozenset().union(*(seen.get(metric, frozenset()) for metric in used.metrics))
        found += [f"{one.title}: no label {name}" for name in sorted(used.grouped - known)]
        for metric, conditions in selectors(one.expr):
            matched = names(f"{metric}{{{conditions}}}").matched - seen.get(metric, frozenset())
            found += [f"{one.title}: no label {name} of {metric}" for name in sorted(matched)]
    return sorted(set(found))


def unknown_names_of_rules(seen: Exposed, but: Container[str]) -> list[str]:
    """Return the metrics and labels that rules rest on and nobody has exposed; some metrics are left out."""
    found = []
    for rule in RULES:
        known = frozenset().union(*(seen.get(metric, frozenset()) for metric in sources(rule.expr)))
        absent = [name for name in sources(rule.expr) - seen.keys() if name not in but]
        found += [f"{rule.name}: no metric {name}" for name in sorted(absent)]
        found += [f"{rule.name}: no label {name}" for name in sorted(names(rule.expr).labels - known)]
    return sorted(set(found))


def at_the_end(
    api: PrometheusApi, one: Shown, variables: Mapping[str, str], span: str = _SPAN
) -> list[Sample]:
    """Return what a query gives for the last ``span``, whether the panel shows one figure or a curve."""
    samples = api.query(queries.substitute(one.expr, span, span, variables))
    return [sample for sample in samples if not math.isnan(sample.value)]


def by_labels(
    api: PrometheusApi, one: Shown, variables: Mapping[str, str]
) -> dict[tuple[tuple[str, str | float], ...], float]:
    """Return the same by labels; bounds of buckets, which are spelled in more than one way, as numbers."""
    found = {}
    for sample in at_the_end(api, one, variables):
        labels = {key: float(text) if key == "le" else text for key, text in sample.labels.items()}
        found[tuple(sorted(labels.items()))] = sample.value
    return found


def as_drawn(api: PrometheusApi, one: Shown, variables: Mapping[str, str]) -> list[Sample]:
    """Return the figures of a panel as it draws them: those at the end, or every point of its curves."""
    if one.instant:
        return at_the_end(api, one, variables)
    expr = queries.substitute(one.expr, _SPAN, f"{_STEP_SECONDS:.0f}s", variables)
    curves = api.query_range(expr, _CURVE_SECONDS, _STEP_SECONDS)
    points = [Sample(curve.labels, value) for curve in curves for value in curve.values.values()]
    return [point for point in points if not math.isnan(point.value)]


def without_data(api: PrometheusApi, variables: Mapping[str, str]) -> list[str]:
    """Return the queries that give nothing at all."""
    return [f"{one.title}: no data" for one in ALL if not as_drawn(api, one, variables)]


def only_zeros(api: PrometheusApi, variables: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return panel and name of the queries that give zeros and nothing else."""
    found = {(one.panel, one.name): as_drawn(api, one, variables) for one in ALL}
    return {key for key, samples in found.items() if samples and not any(s.value for s in samples)}


def without_choices(api: PrometheusApi) -> list[str]:
    """Return the variables that offer nothing to choose."""
    found = []
    for file in UIDS:
        for variable in variables(read(file))[1:]:
            selector, _, label = variable["definition"].removeprefix("label_values(")[:-1].rpartition(", ")
            series = api.series(queries.substitute(selector))
            if not any(labels.get(label) for labels in series):
                found.append(f"{file}, variable {variable['name']}: nothing to choose")
    return found
