"""A short outage under load, in the form that runs everywhere; `make outage` plays the long one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.outage.outage import play
from tests.outage.run import is_whole, report

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the spool works on Linux and macOS"),
    pytest.mark.timeout(240),
]


def test_an_outage_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """50 runs a second, the receiver away for 4 seconds: every span arrives once, metric totals are equal."""
    played = play(tmp_path, 8, 2, 6, 50)
    report(played)

    assert is_whole(played), capsys.readouterr().out
    assert sum(played.final["stats"]["export"]["traces"]["export_failures"].values()) > 0
