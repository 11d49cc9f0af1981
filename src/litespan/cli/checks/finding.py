"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's table.

    Attributes:
        check: what was looked at.
        status: how it is.
        says: what was seen, without secrets.
        mends: lines that mend it, for a shell where that is possible; empty if nothing needs to be done.
    """

    check: str
    status: Status
    says: str
    mends: tuple[str, ...] = ()


def ok(check: str, says: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(check, Status.OK, says)


def warning(check: str, says: str, *mends: str) -> Finding:
    """Return a finding that may be wanted, or may surprise."""
    return Finding(check, Status.WARNING, says, mends)


def problem(check: str, says: str, *mends: str) -> Finding:
    """Return a finding that loses or falsifies something."""
    return Finding(check, Status.PROBLEM, says, mends)


def not_checked(check: str, says: str) -> Finding:
    """Return a finding that nothing is known about."""
    return Finding(check, Status.NOT_CHECKED, says)
