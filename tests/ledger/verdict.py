"""Hold every place against the ledger, and print the table by wire."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from tests.ledger.audit import Audit
from tests.ledger.broken import timed_out
from tests.ledger.figures import TOKENS, Book, Figures

PLACES: Final = ("metrics", "spans", "file")
_TOLD: Final = 60  # differences that are printed


class Difference(NamedTuple):
    """One place that does not say what the ledger says: of which model or job, and what."""

    place: str
    of: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.of}: {self.what}"


def differences(audit: Audit) -> list[Difference]:
    """Return everything that is not as the ledger has it."""
    return [*_of_books(audit), *_of_jobs(audit), *_of_totals(audit), *_of_itself(audit)]


def _of_books(audit: Audit) -> Iterator[Difference]:
    for place in PLACES:
        yield from _compare(place, audit.ledger.by_model, getattr(audit, place))


def _of_jobs(audit: Audit) -> Iterator[Difference]:
    yield from _compare("spans by job", audit.ledger.by_job, audit.spans_by_job)
    yield from _compare("file by job", audit.ledger.by_job, audit.file_by_job)


def _compare(place: str, expected: Book, found: Book) -> Iterator[Difference]:
    for name in sorted(expected.keys() | found.keys()):
        for what in expected[name].differences(found[name]):
            yield Difference(place, name, what)


def _of_totals(audit: Audit) -> Iterator[Difference]:
    for name, value in audit.odds.items():
        if value:
            yield Difference("totals", name, f"0 != {value}")
    late = _impatient(audit)
    for job, requests in audit.ledger.requests.items():
        known = audit.attempts.get(job)
        if known is not None and known != requests and job not in late:
            yield Difference("attempts", job, f"{requests} != {known}")


def _impatient(audit: Audit) -> set[str]:
    """Return the jobs that give up: a request of theirs may arrive later than that, or never."""
    return {task.job.name for task in audit.tasks if task.scenario.plan is timed_out}


def _of_itself(audit: Audit) -> Iterator[Difference]:
    """Check that the plans fit what the provider did: an undelivered part for each missing usage."""
    late = _impatient(audit)
    for job, figures in audit.ledger.by_job.items():
        if job in late and not audit.ledger.requests[job]:
            continue
        if bool(audit.ledger.undelivered[job]) != bool(figures.missing):
            told = f"{audit.ledger.undelivered[job]} requests, {dict(figures.missing)} planned"
            yield Difference("ledger", job, f"undelivered: {told}")
    for job, fault in audit.faults.items():
        yield Difference("program", job, fault)


def explain(audit: Audit, found: list[Difference]) -> str:
    """Say which calls differ, with the scenario and the provider of each."""
    known = {
        task.job.name: f"{task.scenario.name} on {task.job.vendor.name}, "
        + ("streamed" if task.job.stream else "whole")
        for task in audit.tasks
    }
    lines = [f"{each} ({known[each.of]})" if each.of in known else str(each) for each in found]
    more = [f"... and {len(lines) - _TOLD} more"] if len(lines) > _TOLD else []
    return "\n".join([f"{len(lines)} differences:", *lines[:_TOLD], *more])


def show(audit: Audit, console: Console) -> None:
    """Print what was delivered and what each place says of it, by wire."""
    wire_of = {model: task.job.vendor.name for task in audit.tasks for model in task.job.vendor.served_models}
    books = {"delivered": audit.ledger.by_model, **{place: getattr(audit, place) for place in PLACES}}
    grouped = {name: book.by(wire_of) for name, book in books.items()}
    wires = sorted(set().union(*(book.keys() for book in grouped.values())))
    table = Table(title=f"{audit.ledger.by_model.total().calls:,} model calls in {audit.seconds:.0f} s")
    for name in ("wire", "book", "calls", *TOKENS, "USD"):
        table.add_column(name, justify="left" if name in ("wire", "book") else "right")
    for wire in wires:
        _add(table, wire, {name: book[wire] for name, book in grouped.items()})
    _add(table, "all", {name: book.total() for name, book in grouped.items()})
    console.print(table)
    _show_outcomes(audit, console)


def _add(table: Table, wire: str, figures: dict[str, Figures]) -> None:
    delivered = figures["delivered"]
    for name, each in figures.items():
        table.add_row(wire if each is delivered else "", name, *_cells(each))
    worst = max((_distance(delivered, figures[place]) for place in PLACES), key=sum)
    table.add_row("", "difference", *(f"{off.normalize():f}" for off in worst), end_section=True)


def _cells(figures: Figures) -> list[str]:
    return [f"{figures.calls:,}", *(f"{figures.tokens[name]:,}" for name in TOKENS), f"{figures.usd:.9f}"]


def _distance(one: Figures, other: Figures) -> tuple[Decimal, ...]:
    tokens = [Decimal(abs(one.tokens[name] - other.tokens[name])) for name in TOKENS]
    return (Decimal(abs(one.calls - other.calls)), *tokens, abs(one.usd - other.usd))


def _show_outcomes(audit: Audit, console: Console) -> None:
    total, requests = audit.ledger.by_model.total(), audit.ledger.requests.total()
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(total.outcomes.items()))
    missing = ", ".join(f"{count} {name}" for name, count in sorted(total.missing.items()))
    unknown = sum(audit.ledger.unknown_usd.values(), Decimal(0))
    console.print(f"Calls: {outcomes}; {requests:,} HTTP requests.")
    console.print(f"Calls with a usage that did not arrive, or not whole: {missing}.")
    console.print(f"Billed and never delivered, so known to no client: {unknown:.9f} USD.")
