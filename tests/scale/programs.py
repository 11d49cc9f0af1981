"""Agents that run as programs of their own, and what they sent."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.integration.programs import Program
from tests.scale.runs import Limits, Run, read_runs


def play_programs(
    otlp: str, folder: Path, limits: Limits, services: Sequence[str], content: Container[str] = ()
) -> Mapping[str, Mapping[str, Run]]:
    """Run one program for each service at the same time; return the runs of each by trace id.

    Those in ``content`` put prompts and answers on their spans.
    """
    reports = {service: folder / f"{service}.otlp" for service in services}
    with ExitStack() as running:
        programs = [
            running.enter_context(_program(otlp, service, limits, report, content=service in content))
            for service, report in reports.items()
        ]
        for program in programs:
            program.output()
    return {service: read_runs(report) for service, report in reports.items()}


def _program(otlp: str, service: str, limits: Limits, report: Path, *, content: bool) -> Program:
    where = ("--otlp", otlp, "--service", service, "--report", str(report))
    what = ("--slow", str(limits.seconds + 0.2), *(["--content"] if content else []))
    return Program("-m", "tests.scale.agents_program", *where, *what)
