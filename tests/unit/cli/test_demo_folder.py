"""Where `litespan demo` may not write: its own option is the way out, not a variable that it ignores."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from litespan.cli import main


@pytest.mark.parametrize("arguments", [[], ["--output", "out"]])
def test_a_folder_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """It is refused before anything runs."""
    monkeypatch.chdir(tmp_path)
    # Root may write everywhere.
    monkeypatch.setattr(os, "access", lambda *_: False)
    done = CliRunner().invoke(main, ["demo", *arguments])

    assert (2, "") == (done.exit_code, done.stdout)
    assert "cannot be written to; name a folder with --output DIR." in done.stderr
