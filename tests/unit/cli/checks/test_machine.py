"""Files, room and the clock of this machine."""

from __future__ import annotations

import time
from pathlib import Path

from litespan.cli.checks.clock import check_clock
from litespan.cli.checks.endpoints import try_endpoint
from litespan.cli.checks.files import Place, check_file, look_at
from litespan.cli.checks.finding import Finding, Status
from litespan.cli.checks.spool import check_spool, look_at_spool
from litespan.cli.checks.wires import read_wire
from litespan.settings import load_settings
from tests.fakes.otlp_receivers import ALL_SIGNALS, Manners, http_receiver


def check(path: Path, place: Place | None = None, size: int = 1000) -> Finding:
    """Check a file of traces."""
    place = look_at(str(path)) if place is None else place
    return check_file("traces", "LITESPAN_TRACES_FILE", str(path), place, size)


def test_files(tmp_path: Path) -> None:
    """A file in a folder that is there can be written; it is not made by looking."""
    assert Status.OK is check(tmp_path / "traces.jsonl").status
    assert [] == list(tmp_path.iterdir())


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is a problem, with the variable in the mend."""
    finding = check(tmp_path / "none" / "traces.jsonl")

    assert "cannot be written (No such file or directory)" in finding.says
    assert finding.mends[0].startswith("export LITESPAN_TRACES_FILE=/a/folder/that/exists/traces.jsonl")
    assert finding.mends[0].endswith(f"mkdir -p {tmp_path}/none")


def test_folder_of_somebody_else() -> None:
    """A folder that is there, and may not be written to, is not told to be made."""
    place = Place("cannot be written (Permission denied)")

    assert ("export LITESPAN_TRACES_FILE=/a/folder/of/this/user/t",) == check(Path("/srv/t"), place).mends


def test_folder_in_place_of_a_file(tmp_path: Path) -> None:
    """A path that names a folder is a problem; the mend is a file in it."""
    finding = check(tmp_path)

    assert "is a folder" in finding.says
    assert (f"export LITESPAN_TRACES_FILE={tmp_path}/litespan-traces.jsonl",) == finding.mends


def test_room(tmp_path: Path) -> None:
    """Less room than the file and its rotated ones may take is a warning; what they have taken counts."""
    path = tmp_path / "traces.jsonl"

    assert Status.WARNING is check(path, Place(None, free=999, taken=0)).status
    assert Status.OK is check(path, Place(None, free=999, taken=1)).status


def test_spool(tmp_path: Path) -> None:
    """The spool's folder has to be a folder of one's own; it is not made by looking."""
    own, file = tmp_path / "own", tmp_path / "file"
    own.mkdir(mode=0o700)
    file.touch()
    before = sorted(tmp_path.iterdir())

    def status(path: Path, size: int = 1) -> Status:
        return check_spool(str(path), look_at_spool(str(path)), size).status

    assert (Status.OK, Status.OK) == (status(own), status(own / "new" / "one"))
    assert Status.WARNING is status(own, size=10**18)
    assert (Status.PROBLEM, Status.PROBLEM) == (status(file), status(file / "below"))
    own.chmod(0o750)
    assert Status.WARNING is status(own)
    assert before == sorted(tmp_path.iterdir())


def test_clock() -> None:
    """A few seconds are the header's precision, a minute is a problem; without a time nothing is known."""
    now = time.time()

    assert Status.NOT_CHECKED is check_clock([], now - 1, now).status
    assert Status.OK is check_clock([0.4, -2.0], now - 1, now).status
    assert "10 s ahead of" in check_clock([10.0, 0.4], now - 1, now).says
    assert Status.WARNING is check_clock([-10.0], now - 1, now).status
    assert Status.PROBLEM is check_clock([-3600.0], now - 1, now).status
    assert Status.PROBLEM is check_clock([], now + 1, now).status


def test_time_of_an_endpoint() -> None:
    """The clock of a receiver is read from its answer."""
    with http_receiver(Manners(statuses=ALL_SIGNALS, ahead=3600)) as visits:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{visits.address}"}
        skew = try_endpoint(read_wire("traces", load_settings(environ), environ), 5).answer.skew

    assert skew is not None
    assert abs(skew - 3600) < 30
