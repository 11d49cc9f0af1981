"""The instruments of one meter provider."""

from __future__ import annotations

from typing import NamedTuple

from litespan.emit.histograms import Histograms
from litespan.emit.measurements import Measurements
from litespan.emit.tallies import Tallies


class Instruments(NamedTuple):
    """Counters, histograms, and what waits to be recorded in both."""

    tallies: Tallies
    histograms: Histograms
    measurements: Measurements
