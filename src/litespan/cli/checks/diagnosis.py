"""From a trial of an endpoint to what is wrong. Pure."""

from __future__ import annotations

from litespan.cli.checks import remedies
from litespan.cli.checks.answers import Kind
from litespan.cli.checks.endpoints import Trial
from litespan.cli.checks.finding import Finding, ok, problem, warning


def diagnose(trial: Trial) -> Finding:
    """Return the finding of one signal's endpoint."""
    check, wire, answer = f"endpoint of {trial.wire.signal}", trial.wire, trial.answer
    where = f"{wire.shown()} ({wire.way.words})"
    if answer.kind is Kind.ACCEPTED:
        return ok(check, f"{where} took an empty export")
    words = f": {answer.words}" if answer.words else ""
    says = f"{where} {answer.kind.value}{words}{_found(trial)}"
    if answer.kind is Kind.BUSY and not trial.direct:
        return warning(check, says, *remedies.of(trial))
    return problem(check, says, *remedies.of(trial))


def _found(trial: Trial) -> str:
    if trial.direct:
        return "; it answers when the environment's proxy is passed by"
    if trial.spoken is not None:
        return f"; it speaks {trial.spoken.words}"
    return f"; {trial.path} is there" if trial.path is not None else ""
