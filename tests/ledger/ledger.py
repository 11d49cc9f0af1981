"""The ledger: what the provider delivered to its clients, and what it billed and could not deliver."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from litespan.testing import ServedUsage
from litespan.testing.served import Served
from tests.ledger import rates
from tests.ledger.figures import Book
from tests.ledger.load import Task
from tests.ledger.stage import NO_JOB, Stage

NOTHING: Final = ServedUsage()


@dataclass(slots=True)
class Ledger:
    """The provider's side of a load.

    Attributes:
        by_job, by_model: what must be seen: delivered tokens and USD, expected outcomes and missing usages.
        unknown_usd: what was billed and never delivered, by wire; no client can know it.
        undelivered: requests with such a part, by job.
        requests: by job.
    """

    by_job: Book = field(default_factory=Book)
    by_model: Book = field(default_factory=Book)
    unknown_usd: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    undelivered: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)


def write(tasks: Sequence[Task], stage: Stage) -> Ledger:
    """Write the ledger: usage and USD from what the provider served, outcomes from the plans."""
    ledger = Ledger()
    for task in tasks:
        for call in task.plan.calls:
            name = call.model if isinstance(call.model, str) else task.job.vendor.served_models[call.model]
            for figures in (ledger.by_job[task.job.name], ledger.by_model[name]):
                figures.outcomes[call.outcome] += 1
                if call.missing is not None:
                    figures.missing[call.missing] += 1
    for served in stage.provider.served:
        if (number := stage.job_of[served.request.number]) != NO_JOB:
            _enter(ledger, served, f"job-{number}")
    return ledger


def _enter(ledger: Ledger, served: Served, job: str) -> None:
    told = served.usage_delivered
    usd = usd_of(served, told)
    for figures in (ledger.by_job[job], ledger.by_model[_model(served)]):
        figures.add_usage(told or NOTHING)
        figures.usd += usd
    ledger.requests[job] += 1
    if served.billed is not None and served.billed != told:
        ledger.undelivered[job] += 1
        ledger.unknown_usd[served.wire] += usd_of(served, served.billed) - usd


def usd_of(served: Served, usage: ServedUsage | None) -> Decimal:
    """Return what a usage costs: the provider's own figure if it tells one, else by its rates."""
    if usage is None:
        return Decimal(0)
    own = served.reply.cost
    return rates.cost(_model(served), usage) if own is None else Decimal(own)


def _model(served: Served) -> str:
    """Return the model's own name; Fireworks gets it behind the name of an account."""
    return served.model.rpartition("/")[2]
