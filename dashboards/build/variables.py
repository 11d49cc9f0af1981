"""The variables of the dashboards as Grafana knows them."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from dashboards.build.filters import DATASOURCE, OF_PROCESSES, Filter
from dashboards.build.names import label, series
from litespan import semconv

# The uid under which the Prometheus of docker-compose.yml is provisioned; elsewhere, the first one is taken.
_PROVISIONED: Final = "litespan-prometheus"
_EVERYTHING: Final = ".*"

SOURCE: Final = DataSourceRef(type_val="prometheus", uid=f"${{{DATASOURCE}}}")


def data_source() -> DatasourceVariable:
    """Return the choice of a Prometheus."""
    return (
        DatasourceVariable(DATASOURCE)
        .label("Data source")
        .description("The Prometheus or Mimir that has litespan's metrics.")
        .type("prometheus")
        .current(VariableOption(selected=True, text="Prometheus", value=_PROVISIONED))
    )


def choice(chosen: Filter) -> QueryVariable:
    """Return a choice of several values of a label; "All" takes series without that label too."""
    query = f"label_values({_where(chosen)}, {label(chosen.attribute)})"
    return (
        QueryVariable(chosen.variable)
        .label(chosen.title)
        .description(f"Filters by {label(chosen.attribute)}, on panels whose metrics have it.")
        .datasource(SOURCE)
        .query({"query": query, "refId": f"variable-{chosen.variable}"})
        .definition(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(_EVERYTHING)
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _where(chosen: Filter) -> str:
    """Return the series whose values are offered; a process may have made no calls yet."""
    if chosen.everywhere:
        either = "|".join(series(metric) for metric in (semconv.CALLS, semconv.RECORDS_OPEN))
        return f'{{__name__=~"{either}"}}'
    return f"{series(semconv.CALLS)}{{{', '.join(other.matcher for other in OF_PROCESSES)}}}"
