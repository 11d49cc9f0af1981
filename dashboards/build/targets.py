"""Queries of panels: a query with what its lines are called, and columns of tables."""

from __future__ import annotations

from typing import Final, NamedTuple

from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from dashboards.build.names import label
from dashboards.build.promql import filtered_alike, named
from dashboards.build.variables import SOURCE
from litespan import semconv

# The shortest step: programs export once a minute, by OpenTelemetry's default.
STEP: Final = "1m"

# What stands for an attribute that a series does not have.
_UNNAMED: Final = {
    semconv.AGENT_NAME: "(no agent)",
    semconv.WORKFLOW_NAME: "(no workflow)",
    semconv.REASON: "(nothing)",
    semconv.ERROR_TYPE: "(no error)",
    semconv.PLACE: "(no fault)",
}


class Line(NamedTuple):
    """A query and what its lines are called."""

    expr: str
    legend: str

    @property
    def query(self) -> str:
        """The query that is asked."""
        return filtered_alike(self.expr)


class Column(NamedTuple):
    """A query that fills one column of a table; ``unit`` is a unit of Grafana."""

    title: str
    expr: str
    unit: str
    decimals: int | None = None

    @property
    def query(self) -> str:
        """The query that is asked."""
        return filtered_alike(self.expr)


def lines(expr: str, *by: str, note: str = "") -> Line:
    """Return a query whose lines are called after these attributes, with a note behind."""
    for attribute in by:
        if attribute in _UNNAMED:
            expr = named(expr, attribute, _UNNAMED[attribute])
    return Line(
        expr, " ".join([*(f"{{{{{label(attribute)}}}}}" for attribute in by), *([note] if note else [])])
    )


def over_time(line: Line, place: int) -> Dataquery:
    """Return the query of a curve."""
    return _query(line.query, place).legend_format(line.legend).interval(STEP).range()


def at_the_end(line: Line, place: int) -> Dataquery:
    """Return the query of one figure for the whole time of the panel."""
    return _query(line.query, place).legend_format(line.legend).instant()


def in_buckets(expr: str) -> Dataquery:
    """Return the query of a heat map, with exemplars."""
    query = _query(expr, 0).legend_format("{{le}}").interval(STEP).range()
    return query.format(PromQueryFormat.HEATMAP).exemplar(True)


def in_column(column: Column, place: int) -> Dataquery:
    """Return the query of a table's column."""
    return _query(column.query, place).instant().format(PromQueryFormat.TABLE)


def letter(place: int) -> str:
    """Return the name of a panel's query: A, B, C and so on."""
    return chr(ord("A") + place)


def _query(expr: str, place: int) -> Dataquery:
    query = Dataquery().datasource(SOURCE).editor_mode(QueryEditorMode.CODE)
    return query.expr(expr).ref_id(letter(place))
