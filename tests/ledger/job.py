"""One job of the load: a few model calls of a program, and what the provider shall answer to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, NamedTuple

from litespan.testing import Reply, ServedUsage
from tests.ledger.stage import Stage
from tests.ledger.vendors import READ, REASONING, WRITE, WRITE_1H, Vendor

_PIECES: Final = ("aaaa ", "bbbb ", "cccc ", "dddd ", "eeee ")
TEXT: Final = "".join(_PIECES)
COST_UNIT: Final = 2.0**-20  # USD; sums of multiples are exact


class Call(NamedTuple):
    """A model call that must be seen: to which of the job's models, how it ends, why usage is missing."""

    model: int | str = 0
    outcome: str = "ok"
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job does, what the provider answers to its requests in their order, what must be seen."""

    act: Callable[[Stage], Awaitable[None]] | Callable[[Stage], None]
    replies: Sequence[Reply]
    calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a scenario needs to make a plan. The same seed gives the same plan."""

    number: int
    scenario: str
    vendor: Vendor
    stream: bool
    random: Random = field(repr=False)

    @property
    def name(self) -> str:
        """What the program calls the user of this job, and so what tells its spans from others."""
        return f"job-{self.number}"

    @property
    def text(self) -> str:
        """What is said to the model; the provider knows the job by it."""
        return f"This is {self.name}."

    def arguments(self, stage: Stage, model: int = 0, **options: Any) -> dict[str, Any]:
        """Return the arguments of a chat call."""
        return {
            **stage.target(self.vendor, model),
            "messages": [{"role": "user", "content": self.text}],
            "stream": self.stream,
            **options,
        }

    def told(self, model: int = 0) -> Call:
        """Return a call that ends well, and of whose stream this provider may tell no usage."""
        return Call(model, missing="not_reported" if self.stream and self.vendor.mute else None)

    def answer(self, **changes: Any) -> Reply:
        """Return a good answer with a usage of its own."""
        cost = self.random.randrange(1, 10**6) * COST_UNIT if self._tells_cost() else None
        reply = Reply.says(TEXT, pieces=len(_PIECES), usage=self.usage(), cost=cost)
        return reply.but(**changes)

    def thoughtful(self, **changes: Any) -> Reply:
        """Return an answer that shows some of its reasoning now and then."""
        reasoning = "I think so." if self.random.random() < 0.3 else ""
        return self.answer(reasoning=reasoning, **changes)

    def stuck(self, pieces: int = 3) -> Reply:
        """Return an answer whose stream stops after so many pieces of the text."""
        return self.answer(stall_after=self.vendor.lead + pieces)

    def usage(self) -> ServedUsage:
        """Return a usage with any of the parts that the provider can tell."""
        parts = {name: self._part() for name in (READ, WRITE, WRITE_1H, REASONING) if self._has(name)}
        cached = sum(count for name, count in parts.items() if name != REASONING)
        return ServedUsage(
            self.random.randint(1, 3000) + cached,
            self.random.randint(5, 900) + parts.get(REASONING, 0),
            **parts,
        )

    def _part(self) -> int:
        return self.random.randint(1, 5000)

    def _has(self, part: str) -> bool:
        return part in self.vendor.tells and self.random.random() < 0.5

    def _tells_cost(self) -> bool:
        return self.vendor.costs and self.random.random() < 0.3


def last_piece(pieces: int = 3) -> str:
    """Return the last piece of the text that arrives from a stuck stream."""
    return _PIECES[pieces - 1].strip()
