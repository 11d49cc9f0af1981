"""Lines of files: compressed, from standard input, named twice, too long, damaged."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from litespan.cli.sums.lines import Lines, total_bytes, unread_rotations

Problem = tuple[str, int, str]


def lines_of(*paths: Path | str, max_line: int = 1_000) -> tuple[list[tuple[str, int, bytes]], list[Problem]]:
    """Return the lines of these files by file name, and what was reported."""
    problems: list[Problem] = []

    def report(file: str, number: int, problem: str) -> None:
        problems.append((Path(file).name, number, problem))

    lines = Lines([str(path) for path in paths], report, max_line=max_line)
    return [(Path(file).name, number, data) for file, number, data in lines], problems


def test_files_follow_each_other(tmp_path: Path) -> None:
    """Lines are numbered in each file; the last one needs no newline."""
    (tmp_path / "a").write_bytes(b"1\n\n2")
    (tmp_path / "b").write_bytes(b"3\n")

    lines, problems = lines_of(tmp_path / "a", tmp_path / "b")
    assert [("a", 1, b"1\n"), ("a", 2, b"\n"), ("a", 3, b"2"), ("b", 1, b"3\n")] == lines
    assert [] == problems


def test_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    """The same file under two names counts once: its calls were made once."""
    (tmp_path / "a").write_bytes(b"1\n")
    (tmp_path / "link").symlink_to(tmp_path / "a")

    assert 1 == len(lines_of(tmp_path / "a", tmp_path / "a", tmp_path / "link")[0])


def test_compressed_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    """A gzip file is read whatever it is called, and a plain one that is called so too."""
    (tmp_path / "a.1").write_bytes(gzip.compress(b"1\n2\n"))
    (tmp_path / "b.gz").write_bytes(b"3\n")

    assert [b"1\n", b"2\n", b"3\n"] == [
        data for _, _, data in lines_of(tmp_path / "a.1", tmp_path / "b.gz")[0]
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, *, packed: bool) -> None:
    """A dash is standard input, compressed or not; it stays open."""
    content = gzip.compress(b"1\n2\n") if packed else b"1\n2\n"
    stdin = SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(content)))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert [("-", 1, b"1\n"), ("-", 2, b"2\n")] == lines_of("-")[0]
    assert not stdin.buffer.closed
    assert total_bytes(["-"]) is None


def test_line_that_is_too_long_is_left_out(tmp_path: Path) -> None:
    """A line beyond the bound is reported and skipped to its end; the lines behind it keep their numbers."""
    (tmp_path / "a").write_bytes(b"1\n" + b"x" * 5_000 + b"\n3\n" + b"y" * 1_001)

    lines, problems = lines_of(tmp_path / "a")
    assert [("a", 1, b"1\n"), ("a", 3, b"3\n")] == lines
    assert [("a", 2), ("a", 4)] == [(file, number) for file, number, _ in problems]


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_archive_is_reported_where_it_breaks(tmp_path: Path, damage: str) -> None:
    """What stands before the damage is read, the rest of that file is reported, the next file is read."""
    content = bytearray(gzip.compress(b"".join(b"%06d\n" % number for number in range(50_000))))
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        content[-6] ^= 0xFF
    (tmp_path / "a.gz").write_bytes(content)
    (tmp_path / "b").write_bytes(b"after\n")

    lines, problems = lines_of(tmp_path / "a.gz", tmp_path / "b")
    [(file, number, problem)] = problems
    assert ("b", 1, b"after\n") == lines[-1]
    assert ("a.gz", len(lines)) == (file, number)
    assert "from here on" in problem


def test_bytes_are_told_as_they_are_read(tmp_path: Path) -> None:
    """What moves the progress bar adds up to the size of the files, to within a buffer."""
    (tmp_path / "a").write_bytes(b"x" * 99 + b"\n")
    (tmp_path / "b").write_bytes((b"y" * 999 + b"\n") * 5_000)
    told: list[int] = []
    paths = [str(tmp_path / "a"), str(tmp_path / "b")]

    lines = Lines(paths, lambda *_: None, told.append)
    assert 5_001 == sum(1 for _ in lines) == lines.read_lines
    assert total_bytes(paths) == 5_000_100 == lines.read_bytes
    assert 3_000_000 < sum(told) <= 5_000_100


def test_rotated_files_that_were_not_named(tmp_path: Path) -> None:
    """Every rotated file beside a named one is pointed out, unless it is named as well."""
    path, *rotated = (str(tmp_path / name) for name in ("t", "t.1", "t.2", "t.3"))
    Path(path).touch()
    assert [] == unread_rotations([path, "-"])
    for each in rotated:
        Path(each).touch()
    assert rotated == unread_rotations([path, "-"])
    assert rotated[1:] == unread_rotations([path, rotated[0]])
    assert [] == unread_rotations([path, *rotated])
