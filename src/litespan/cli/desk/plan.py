"""What one showing of the demo is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litespan.cli.desk.tickets import TICKETS, Ticket
from litespan.export.choice import HTTP, OtlpTarget


@dataclass(frozen=True)
class Plan:
    """The options of the command.

    Attributes:
        model: a real model; None: the fake provider.
        otlp: base URL of an OTLP receiver; None: files only.
        runs: how many tickets, from the first.
        output: the folder of the files; None: the working directory, and no files with a receiver.
    """

    model: str | None = None
    otlp: str | None = None
    runs: int = len(TICKETS)
    output: str | None = None

    @property
    def tickets(self) -> Sequence[Ticket]:
        """The tickets to work on; a real provider is not asked to fail."""
        return [ticket for ticket in TICKETS[: self.runs] if self.model is None or not ticket.staged]

    @property
    def files(self) -> Mapping[str, str]:
        """The paths of the files by signal, not those of a program; none if all goes to a receiver."""
        if self.otlp is not None and self.output is None:
            return {}
        folder = self.output or os.curdir
        return {
            signal: os.path.join(folder, f"litespan-demo-{signal}.jsonl") for signal in ("traces", "metrics")
        }

    @property
    def receiver(self) -> str | None:
        """The OTLP receiver as it may be shown: without user-info and query, which may hold a secret."""
        return None if self.otlp is None else OtlpTarget(HTTP, self.otlp, None).shown

    @property
    def settings(self) -> Mapping[str, object]:
        """The arguments of `litespan.configure`; said in full, so that the environment changes nothing."""
        exporters = [name for name, wanted in (("otlp", self.otlp), ("litespan_file", self.files)) if wanted]
        settings: dict[str, object] = {"traces_exporter": exporters, "metrics_exporter": exporters}
        settings |= {f"{signal}_file": path for signal, path in self.files.items()}
        if self.otlp is not None:
            settings |= {"otlp_endpoint": self.otlp, "otlp_protocol": HTTP}
        return settings
