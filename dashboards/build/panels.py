"""The kinds of panels, each with the house's look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from grafana_foundation_sdk.builders import common, heatmap, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Threshold, ThresholdsMode
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale

from dashboards.build.descriptions import described
from dashboards.build.promql import STEP, increase, select, total
from dashboards.build.targets import Line, at_the_end, in_buckets, over_time
from dashboards.build.variables import SOURCE
from litespan.semconv import Metric

Builder = TypeVar("Builder", timeseries.Panel, stat.Panel, heatmap.Panel, table.Panel)
Panel = timeseries.Panel | stat.Panel | heatmap.Panel | table.Panel

WHOLE: Final = 24
HALF: Final = 12
THIRD: Final = 8
QUARTER: Final = 6
_HEIGHT: Final = 8
_ORANGE_FROM: Final = 1
# The unit of big figures and of columns: all digits. Short ones would make 1 K of 1,499.
WHOLE_NUMBER: Final = units.LocaleFormat
_PLAIN: Final = (DynamicConfigValue("unit", WHOLE_NUMBER), DynamicConfigValue("decimals", 0))


class About(NamedTuple):
    """What a panel says of itself; links to a panel hold its number, which is never given to another.

    ``question`` is what it answers, ``exactness`` how far the answer can be trusted. ``width`` is in columns
    of 24, ``height`` in Grafana's grid units.
    """

    number: int
    title: str
    question: str
    exactness: str
    width: int = HALF
    height: int = _HEIGHT


def dressed(panel: Builder, about: About, unit: str, exprs: Sequence[str]) -> Builder:
    """Give a panel what all of them have."""
    return (
        panel.id(about.number)
        .title(about.title)
        .description(described(about.question, about.exactness, exprs))
        .datasource(SOURCE)
        .unit(unit)
        .span(about.width)
        .height(about.height)
    )


def curves(about: About, unit: str, *shown: Line, calcs: Sequence[str] = ("mean", "max")) -> timeseries.Panel:
    """Return lines over time; the points of what lived for seconds are seen too."""
    panel = timeseries.Panel().line_width(1).fill_opacity(5).show_points(VisibilityMode.AUTO)
    panel = panel.legend(_legend(calcs)).tooltip(_tooltip()).min(0)
    panel = dressed(panel, about, unit, [line.query for line in shown])
    for place, line in enumerate(shown):
        panel = panel.with_target(over_time(line, place))
    return panel


def bars(about: About, unit: str, *shown: Line) -> timeseries.Panel:
    """Return stacked bars over time; the legend has the sum of each kind of bar."""
    panel = curves(about, unit, *shown, calcs=("sum",))
    panel = panel.draw_style(GraphDrawStyle.BARS).fill_opacity(80)
    return panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))


def stats(about: About, unit: str, *shown: Line, decimals: int = 0, counts: Sequence[str] = ()) -> stat.Panel:
    """Return big figures side by side; ``counts`` names those that turn orange from one on."""
    panel = stat.Panel().graph_mode(BigValueGraphMode.NONE).color_mode(BigValueColorMode.VALUE)
    panel = panel.text_mode(BigValueTextMode.VALUE_AND_NAME).decimals(decimals)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel = dressed(panel.thresholds(_colours("blue")), about, unit, [line.query for line in shown])
    for place, line in enumerate(shown):
        panel = panel.with_target(at_the_end(line, place))
    for name in counts:
        panel = panel.override_by_name(name, [*_PLAIN, warning()])
    return panel


def heat_map(about: About, unit: str, metric: Metric, *conditions: str) -> heatmap.Panel:
    """Return how a histogram's measurements spread over time, with exemplars that open a trace."""
    expr = total(increase(select(metric, *conditions, part="bucket"), STEP), "le")
    colour = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges")
    panel = heatmap.Panel().calculate(False).cell_gap(1).show_legend()
    panel = panel.color(colour.scale(HeatmapColorScale.EXPONENTIAL).exponent(0.5).steps(64))
    panel = panel.y_axis(heatmap.YAxisConfig().unit(unit)).exemplars_color("rgba(0,120,255,0.9)")
    panel = panel.tooltip(heatmap.HeatmapTooltip().mode(TooltipDisplayMode.SINGLE).show_color_scale(True))
    # Empty buckets are no cells.
    panel = panel.filter_values(heatmap.FilterValueRange().le(1e-9))
    panel = panel.cell_values(heatmap.CellValues().unit(units.Short))
    return dressed(panel, about, unit, [expr]).with_target(in_buckets(expr))


def _legend(calcs: Sequence[str]) -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.TABLE)
    return legend.placement(LegendPlacement.BOTTOM).calcs(list(calcs))


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI)


def _colours(below: str, *steps: tuple[float, str]) -> ThresholdsConfig:
    colours = [Threshold(color=below), *(Threshold(value=value, color=colour) for value, colour in steps)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(colours)


def warning(at: float = _ORANGE_FROM) -> DynamicConfigValue:
    """Return the colours of a figure that is green, and orange from some value on."""
    return DynamicConfigValue("thresholds", _colours("green", (at, "orange")).build())
