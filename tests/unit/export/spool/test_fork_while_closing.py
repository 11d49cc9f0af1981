"""A fork at the moment when another thread closes a file of the spool."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from litespan.export.spool.folder import SpoolFolder
from litespan.export.spool.segment import Segment
from litespan.export.spool.shelf import Shelf

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the spool works on Linux and macOS")


@pytest.mark.parametrize("what", ["file", "lock"])
def test_child_closes_nothing_twice(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By then the number of the file may be that of another one, which is the program's."""
    folder = SpoolFolder.create(str(tmp_path), "traces")
    segment = Segment.create(os.path.join(folder.path, "1.spool"))
    ended: list[int] = []
    close = os.close

    def close_and_fork(descriptor: int) -> None:
        close(descriptor)
        monkeypatch.undo()  # one fork, and the child closes as anybody does
        child = os.fork()
        if child == 0:
            _end_as_a_fork(segment, folder)
        ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    monkeypatch.setattr(os, "close", close_and_fork)
    (segment.close if what == "file" else folder.release)()

    assert [0] == ended


def _end_as_a_fork(segment: Segment, folder: SpoolFolder) -> None:
    failed = 1
    try:
        segment.close()
        Shelf(folder).leave()
        failed = 0
    finally:
        os._exit(failed)
