"""The cap on attribute sets: what a metric does when models, agents or tools get too many to tell apart.

Every combination of attribute values is a series that is kept for good, here and in every backend. An
instrument has at most :data:`LIMIT` of them. As it fills up, new names are counted together as ``other``, so
that the sums stay whole: first names that were never seen, then all names, then models. Models that the
program has configured or that have a price keep their name longest.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator, Mapping, Sized
from typing import Any, Final, Protocol

from litespan import semconv
from litespan.records import Standing
from litespan.semconv import Metric

logger = logging.getLogger("litespan")

# Values of a metric's attributes, in their order; behind them, at most, one tuple of pairs: extra keys.
Values = tuple[Any, ...]

LIMIT: Final = 1000
# Number of sets up to which ... may still become a set of its own.
ROOM_FOR_NEW_NAMES: Final = 600
ROOM_FOR_KNOWN_NAMES: Final = 700
ROOM_FOR_MODELS: Final[Mapping[Standing, int]] = {
    Standing.UNKNOWN: ROOM_FOR_KNOWN_NAMES,
    Standing.PRICED: 850,
    Standing.CONFIGURED: 950,
}
# The rest is for sets in which no name is left: operations, outcomes and the like are few.

_NAMES: Final = frozenset(
    {
        semconv.AGENT_NAME,
        semconv.WORKFLOW_NAME,
        semconv.TOOL_NAME,
        semconv.HANDOFF_SOURCE,
        semconv.HANDOFF_TARGET,
        semconv.GUARDRAIL_NAME,
        semconv.ERROR_TYPE,
    }
)


class Sets(Container[Values], Sized, Protocol):
    """The sets that an instrument has."""


class SetLimit:
    """Decides under which attribute set a measurement of one instrument is recorded."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        places = {name: place for place, name in enumerate(metric.attributes)}
        self._names = tuple(place for name, place in places.items() if name in _NAMES)
        self._model = tuple(place for name, place in places.items() if name == semconv.REQUEST_MODEL)
        self._provider = tuple(place for name, place in places.items() if name == semconv.PROVIDER_NAME)
        self._seen: set[tuple[int, Any]] = set()
        self._reached = False
        self._told = False

    def admit(self, values: Values, sets: Sets, standing: Standing) -> Values:
        """Return the values, or what stands for them if ``sets`` has no room for them.

        The caller makes a set of what is returned, and holds its lock until then. ``standing`` is that of the
        model among the values. What has no room never gets some, so the same values get the same answer.
        """
        if values in sets:
            return values
        if len(sets) < ROOM_FOR_NEW_NAMES:
            return self._noted(values)
        self._reached = True
        for candidate, room in self._candidates(values, standing):
            if candidate in sets or len(sets) < room:
                return self._noted(candidate)
        return self._without(values, (*self._names_in(values), *self._model, *self._provider))

    def _candidates(self, values: Values, standing: Standing) -> Iterator[tuple[Values, int]]:
        """Yield what may stand for the values, the most telling first, each with the room it may take."""
        names = self._names_in(values)
        known = standing is not Standing.UNKNOWN
        checked = names if known else (*names, *self._model)
        new = [place for place in checked if (place, values[place]) not in self._seen]
        yield self._without(values, new), ROOM_FOR_KNOWN_NAMES
        if known:
            yield self._without(values, names), ROOM_FOR_MODELS[standing]
        yield self._without(values, (*names, *self._model)), ROOM_FOR_MODELS[Standing.PRICED]

    def _names_in(self, values: Values) -> tuple[int, ...]:
        """Return where names stand among the values; extra keys, where there are any, count as one."""
        return (*self._names, *range(len(self._metric.attributes), len(values)))

    def _without(self, values: Values, places: Iterable[int]) -> Values:
        changed = list(values)
        for place in places:
            if values[place] is not None:
                changed[place] = self._other(place, values[place])
        return tuple(changed)

    def _other(self, place: int, value: Any) -> Any:
        if place >= len(self._metric.attributes):
            return tuple((key, semconv.OTHER) for key, _ in value)
        return semconv.OTHER_ERROR if self._metric.attributes[place] == semconv.ERROR_TYPE else semconv.OTHER

    def _noted(self, values: Values) -> Values:
        self._seen.update(enumerate(values))
        return values

    def tell(self) -> None:
        """Log once that the limit was reached. Not to be called under a lock: loggers have locks too."""
        if self._reached and not self._told:
            self._told = True
            logger.warning(
                "litespan: %s has too many attribute sets (names of models, agents, tools or extra keys). "
                "New names are counted as 'other' from now on; the sums stay whole.",
                self._metric.name,
            )


def attributes_of(metric: Metric, values: Values) -> dict[str, Any]:
    """Return the attributes of a set; ``None`` stands for an attribute that is not set."""
    names = metric.attributes
    attributes = {name: value for name, value in zip(names, values, strict=False) if value is not None}
    for extra in values[len(names) :]:
        attributes.update(extra)
    return attributes
