"""What is said on standard error about the reading: of files that break off, of one line, of JSON on many."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from litespan.cli import main
from tests.unit.cli.sums import otlp


def summary(*arguments: str | Path) -> Result:
    """Call the command."""
    return CliRunner().invoke(main, ["summary", *map(str, arguments)])


def test_archive_that_breaks_off_in_its_first_line(tmp_path: Path) -> None:
    """The line that was begun is one of those that are left out, so that no part is larger than the whole."""
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(otlp.line(*[otlp.call()] * 100))[:200])
    done = summary(path)

    assert (1, "No model calls: no spans were read.\n") == (done.exit_code, done.stdout)
    assert done.stderr.startswith(f"{path}:1: the file cannot be read from here on: ")
    assert done.stderr.endswith("Left out: 1 of 1 line.\n")


def test_one_is_told_as_one(tmp_path: Path) -> None:
    """One line of one file is no plural."""
    (tmp_path / "a").write_bytes(otlp.line(otlp.call()))

    assert " in 1 line of 1 file: " in summary(tmp_path / "a", "--verbose").stderr


@pytest.mark.parametrize(
    ("listed", "indent", "what"), [(False, 2, "."), (True, 2, "'.[]'"), (True, None, "'.[]'")]
)
def test_json_that_is_no_line_for_each_request(
    tmp_path: Path, *, listed: bool, indent: int | None, what: str
) -> None:
    """Whoever names a file that was made readable, or a list, is told what makes lines of it."""
    path = tmp_path / "a"
    request = json.loads(otlp.line(otlp.call()))
    path.write_text(json.dumps([request] if listed else request, indent=indent), encoding="utf-8")
    done = summary(path)

    assert 1 == done.exit_code
    assert done.stderr.splitlines()[0].endswith(
        f" (each request has to stand on one line: `jq -c {what} FILE > NEW` writes it so)"
    )


def test_rotated_files_are_told_in_one_line(tmp_path: Path) -> None:
    """Who names the newest ones is told of all that are left, whatever their number."""
    names = [tmp_path / name for name in ("t", "t.1", "t.2", "t.3")]
    for name in names:
        name.write_bytes(otlp.line(otlp.call()))

    told = f"Not read: {names[2]}, {names[3]}, which were rotated. Name them too, to count them.\n"
    assert told == summary(*names[:2]).stderr
    assert (
        f"Not read: {names[3]}, which was rotated. Name it too, to count it.\n" == summary(*names[:3]).stderr
    )
    assert "" == summary(*names).stderr
