"""Looking out for other instrumentations, and naming each of them once in the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from litespan.guard import guarded
from litespan.sources.others import Place, Sight, layers, recognize

logger = logging.getLogger("litespan")

_FUNCTIONS: Final = ("acompletion", "completion", "aembedding", "embedding")
_METHODS: Final = (
    ("openai.resources.chat.completions", "AsyncCompletions", "create"),
    ("openai.resources.chat.completions", "Completions", "create"),
    ("openai", "AsyncOpenAI", "request"),
    ("openai", "OpenAI", "request"),
)
_CALLBACKS: Final = ("callbacks", "success_callback", "_async_success_callback")
_OURS: Final = "litespan.sources."
# Whoever was not there at one of the first calls by then comes too late to be worth the looking.
_LAST_LOOK: Final = 4096

# Told once in a process, however often litespan is set up.
_told: set[str] = set()


class Lookout:
    """Looks when something is installed, and at the first, second, fourth, eighth… call.

    Others may come after litespan. The looks at calls are ever rarer, because each costs about as much as ten
    records.
    """

    def __init__(self, protocol_known: Callable[[], bool]) -> None:
        self._protocol_known = protocol_known
        self._calls = 0
        self._seen: list[Sight] = []
        self.of_agents: Callable[[], Iterator[Sight]] = lambda: iter(())
        self.removed: Callable[[], bool] = lambda: False

    def call_begins(self) -> None:
        """Count a call, and look if it is time to."""
        self._calls += 1
        if self._calls <= _LAST_LOOK and not self._calls & (self._calls - 1):
            self.look()

    @guarded("lookout")
    def look(self) -> None:
        """Name those who have not been named yet."""
        sights = [*_of_litellm(), *_of_openai(), *self.of_agents()]
        if sights == self._seen:
            return  # whoever is among them has been named
        self._seen = sights
        for other in recognize(sights, protocol_known=self._protocol_known()):
            if other.name not in _told:
                _told.add(other.name)
                logger.warning("%s%s", other.message(), self._lost_tree(other.places))

    def _lost_tree(self, places: Any) -> str:
        if Place.PROCESSOR not in places or not self.removed():
            return ""
        return (
            " It has also removed litespan's trace processor, so runs have no tree: "
            "where both shall stay, switch it on before litespan."
        )


def _of_litellm() -> Iterator[Sight]:
    litellm = sys.modules.get("litellm")
    for name in _FUNCTIONS:
        place = Place.OUTSIDE
        for module in layers(getattr(litellm, name, None)):
            if module.startswith(_OURS):
                place = Place.INSIDE
            yield Sight(place, module)
    for name in _CALLBACKS:
        for callback in getattr(litellm, name, None) or ():
            named = isinstance(callback, str)
            yield Sight(Place.CALLBACK, callback if named else type(callback).__module__)


def _of_openai() -> Iterator[Sight]:
    for module, owner, name in _METHODS:
        method = getattr(getattr(sys.modules.get(module), owner, None), name, None)
        for home in layers(method):
            yield Sight(Place.CLIENT, home)
