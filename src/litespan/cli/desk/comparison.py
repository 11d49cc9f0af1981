"""What the fake provider remembers beside what litespan's spans say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from litespan.cli.figures import call_figures
from litespan.export.tree_view import SpanRow
from litespan.testing import Provider


@dataclass(frozen=True)
class Tally:
    """Requests, those of them that were answered, and tokens; None: not known."""

    requests: int | None
    answered: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int


@dataclass(frozen=True)
class Comparison:
    """Both sides."""

    served: Tally
    recorded: Tally

    @property
    def same(self) -> bool:
        """Whether they agree."""
        return self.served == self.recorded


def compare(provider: Provider, rows: Iterable[SpanRow]) -> Comparison:
    """Ask the provider's memory, and add up the model calls among the spans."""
    return Comparison(_served(provider), _recorded(rows))


def _served(provider: Provider) -> Tally:
    usage = provider.delivered()
    return Tally(
        requests=provider.calls_served(),
        answered=sum(served.status == HTTPStatus.OK for served in provider.served),
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cache_read_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )


def _recorded(rows: Iterable[SpanRow]) -> Tally:
    figures = call_figures(rows)
    return Tally(
        requests=figures.requests,
        answered=figures.reported,
        input_tokens=figures.input_tokens or 0,
        cached_tokens=figures.cached_tokens or 0,
        output_tokens=figures.output_tokens or 0,
        reasoning_tokens=figures.reasoning_tokens or 0,
    )
