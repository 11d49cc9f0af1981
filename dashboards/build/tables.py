"""Tables: a row for each set of labels, a column for each query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DataTransformerConfig,
    DynamicConfigValue,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMappingResult,
)

from dashboards.build.filters import DATASOURCE, OF_PROCESSES, Filter
from dashboards.build.names import label
from dashboards.build.panels import About, dressed
from dashboards.build.targets import Column, in_column, letter


class Link(NamedTuple):
    """A link to a dashboard with one variable set to the cell's value; the others that it has are kept."""

    title: str
    uid: str
    sets: Filter

    @property
    def url(self) -> str:
        """The address, with Grafana's placeholders; of itself Grafana leaves an & or # of a name as it is."""
        kept = "&".join(
            f"${{{name}:queryparam}}" for name in (DATASOURCE, *(f.variable for f in OF_PROCESSES))
        )
        chosen = f"var-{self.sets.variable}=${{__value.raw:percentencode}}"
        return f"/d/{self.uid}?{kept}&{chosen}&${{__url_time_range}}"


class Key(NamedTuple):
    """A label that tells the rows apart; ``link`` opens another dashboard for the row's value of it."""

    title: str
    attribute: str
    link: Link | None = None


def rows(
    about: About,
    keys: Sequence[Key],
    columns: Sequence[Column],
    colours: Mapping[str, DynamicConfigValue] | None = None,
) -> table.Panel:
    """Return a table, sorted by its first column of figures, the greatest first.

    ``colours`` are thresholds by column title.
    """
    panel = dressed(table.Panel(), about, columns[0].unit, [column.query for column in columns])
    panel = panel.sort_by([common.TableSortByFieldState().display_name(columns[0].title).desc(True)])
    panel = panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel = panel.with_transformation(DataTransformerConfig(id_val="organize", options=_order(keys, columns)))
    for place, column in enumerate(columns):
        panel = panel.with_target(in_column(column, place))
        panel = panel.override_by_name(column.title, _format(column))
    for key in keys:
        panel = panel.override_by_name(key.title, _cell(key))
    for title, colour in (colours or {}).items():
        coloured = DynamicConfigValue("custom.cellOptions", {"type": "color-text"})
        panel = panel.override_by_name(title, [coloured, colour])
    return panel


def _order(keys: Sequence[Key], columns: Sequence[Column]) -> dict[str, Any]:
    """Return names and order of the columns; a table with one query calls its column just ``Value``."""
    fields = {label(key.attribute): key.title for key in keys}
    if len(columns) == 1:
        fields["Value"] = columns[0].title
    else:
        fields |= {f"Value #{letter(place)}": column.title for place, column in enumerate(columns)}
    return {
        "excludeByName": {"Time": True},
        "indexByName": {name: place for place, name in enumerate(fields)},
        "renameByName": fields,
    }


def _format(column: Column) -> list[DynamicConfigValue]:
    unit = [DynamicConfigValue("unit", column.unit)]
    return unit if column.decimals is None else [*unit, DynamicConfigValue("decimals", column.decimals)]


def _cell(key: Key) -> list[DynamicConfigValue]:
    """Return what a cell shows where a series does not have the label, and where it leads."""
    text = ValueMappingResult(text=f"(no {key.title.lower()})")
    absent = (SpecialValueMatch.EMPTY, SpecialValueMatch.NULL)
    options = [DashboardSpecialValueMapOptions(match=match, result=text) for match in absent]
    shown = [DynamicConfigValue("mappings", [SpecialValueMap(options=one) for one in options])]
    if key.link is None:
        return shown
    return [*shown, DynamicConfigValue("links", [{"title": key.link.title, "url": key.link.url}])]
