"""A queue on disk: order, bounds, age, damage, folders of dead processes."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from litespan.export.spool.limits import Limits
from litespan.export.spool.store import Store

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no lock that ends with its process")

DAY = 86_400.0


class Spool:
    """A root folder, the stores on it, and what they have lost."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lost: Counter[str] = Counter()

    def store(self, size: int = 10**6, age: float = DAY, *, newest_only: bool = False) -> Store:
        """Make a store as one more process would."""
        return Store(str(self.root), "traces", Limits(size, age), self.note, newest_only=newest_only)

    def leave(self, payload: bytes) -> None:
        """Keep a batch of one item as a process does that dies then; what is left next is younger."""
        dead = self.store()
        dead.append(payload, 1)
        dead.close()
        time.sleep(0.002)  # on the disk a batch has the millisecond in which it was written

    def note(self, reason: str, items: int) -> None:
        """Note a loss."""
        self.lost[reason] += items


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Return an empty spool."""
    return Spool(tmp_path)


def take_all(store: Store) -> list[bytes]:
    """Send everything; return the payloads."""
    taken = []
    while head := store.head():
        taken.append(head.batch.payload)
        store.finish(head)
    return taken


def noise(size: int) -> bytes:
    """Return bytes that do not compress."""
    return os.urandom(size)


def test_batches_come_out_in_order(spool: Spool) -> None:
    """What went in first comes out first, over many files."""
    store = spool.store(size=8_000)
    batches = [bytes([number]) + noise(500) for number in range(10)]
    for batch in batches:
        assert store.append(batch, 3)

    assert store.items() == 30
    assert batches == take_all(store)
    assert (store.items(), spool.lost) == (0, {})


def test_only_the_owner_can_read(spool: Spool) -> None:
    """Folders are 0700 and files 0600: they may hold prompts."""
    spool.store().append(b"prompt", 1)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in spool.root.glob("*/*")}
    (folder,) = spool.root.iterdir()

    assert ({0o600}, 0o700) == (modes, stat.S_IMODE(folder.stat().st_mode))


def test_nothing_is_left_of_what_was_sent(spool: Spool) -> None:
    """A sent batch is taken off the disk at once, and a closed store leaves no folder."""
    store = spool.store()
    store.append(b"a secret" + noise(1000), 1)
    take_all(store)
    (file,) = spool.root.glob("*/*.spool")

    assert file.stat().st_size < 100
    store.close()
    assert [] == list(spool.root.iterdir())


def test_the_oldest_make_room(spool: Spool) -> None:
    """Beyond its bytes the store drops the oldest, counted, and keeps the rest."""
    store = spool.store(size=16_000)
    for number in range(60):
        store.append(bytes([number]) + noise(999), 2)
    left = [batch[0] for batch in take_all(store)]

    assert left == list(range(60 - len(left), 60))
    assert 10 <= len(left) <= 15
    assert spool.lost == {"spool_full": 2 * (60 - len(left))}


def test_a_batch_under_way_is_not_lost_twice(spool: Spool) -> None:
    """A batch that is being sent while its file makes room counts once: sent, or lost if it failed."""
    store = spool.store(size=8_000)
    store.append(noise(1000), 5)
    sent = store.head()
    for _ in range(20):
        store.append(noise(1000), 1)
    assert sent
    lost = spool.lost["spool_full"]
    store.finish(sent)
    assert spool.lost["spool_full"] == lost
    assert store.items() + lost == 20

    failed = store.head()
    assert failed
    for _ in range(20):
        store.append(noise(1000), 1)
    before = spool.lost["spool_full"]
    store.put_back(failed, 1)
    assert spool.lost["spool_full"] == before + 1
    assert store.items() + spool.lost["spool_full"] == 40


def test_what_is_too_old_is_dropped(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that has waited for longer than the age is dropped and counted."""
    store = spool.store(age=60)
    store.append(b"old", 7)
    late = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: late)
    store.append(b"new", 1)

    assert ([b"new"], {"spool_expired": 7}) == (take_all(store), spool.lost)


def test_what_others_left_grows_old_while_the_receiver_is_away(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What dead processes have left is dropped in time, although batches of this process wait before it."""
    dead = spool.store()
    dead.append(b"left", 5)
    dead.close()
    store = spool.store()
    store.adopt()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + DAY + 1)
    store.append(b"own", 1)
    head = store.head()
    assert head
    store.put_back(head, 1)

    assert ({"spool_expired": 5}, 1) == (spool.lost, store.items())
    assert 1 == len(list(spool.root.iterdir()))


def test_of_sums_only_the_newest_is_kept(spool: Spool) -> None:
    """With ``newest_only`` one batch is left, whatever went in, and nothing counts as lost."""
    store = spool.store(newest_only=True)
    for number in range(5):
        store.append(b"%d" % number, 4)
    under_way = store.head()
    store.append(b"last", 4)
    assert under_way
    store.put_back(under_way, 4)

    assert (store.items(), [b"last"], {}) == (4, take_all(store), spool.lost)


def test_a_dead_process_is_inherited_by_one(spool: Spool) -> None:
    """What a dead process has left goes to exactly one other, after what that one has itself."""
    dead = spool.store()
    dead.append(b"left behind", 2)
    dead.close()
    first, second = spool.store(), spool.store()
    first.append(b"own", 1)
    first.adopt()
    second.adopt()

    assert ([b"own", b"left behind"], []) == (take_all(first), take_all(second))
    first.close()
    assert [] == list(spool.root.iterdir())


def test_a_living_process_is_not_inherited(spool: Spool) -> None:
    """What a living process has on the disk is left to it."""
    living, other = spool.store(), spool.store()
    living.append(b"mine", 1)
    other.adopt()

    assert ([], [b"mine"]) == (take_all(other), take_all(living))


def test_what_is_inherited_is_bounded_too(spool: Spool) -> None:
    """Processes that come and go while the receiver is away fill the disk no more than one does."""
    for number in range(20):
        store = spool.store(size=8_000)
        store.adopt()
        store.append(bytes([number]) + noise(999), 1)
        store.close()
        time.sleep(0.002)  # on the disk a batch has the millisecond in which it was written
    on_disk = sum(path.stat().st_size for path in spool.root.glob("*/*.spool"))
    store = spool.store(size=8_000)
    store.adopt()
    left = sorted(batch[0] for batch in take_all(store))

    assert on_disk < 9_100
    assert left == list(range(20 - len(left), 20))
    assert spool.lost == {"spool_full": 20 - len(left)}


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: data + b"\xf5LSB rubbish"])
def test_a_damaged_end_is_skipped(spool: Spool, damage: Callable[[bytes], bytes]) -> None:
    """A file whose end was cut or overwritten gives what is whole; the rest is counted."""
    dead = spool.store()
    dead.append(b"whole", 3)
    dead.append(b"cut", 2)
    dead.close()
    (file,) = spool.root.glob("*/*.spool")
    file.write_bytes(damage(file.read_bytes()))
    store = spool.store()
    store.adopt()
    taken = take_all(store)

    assert taken[0] == b"whole"
    assert spool.lost["spool_damaged"] in {1, 2}
    store.close()
    assert [] == list(spool.root.iterdir())


def test_what_was_sent_is_not_sent_again(spool: Spool) -> None:
    """The next process begins where the dead one stopped."""
    dead = spool.store()
    for number in range(4):
        dead.append(b"%d" % number, 1)
    for _ in range(2):
        head = dead.head()
        assert head
        dead.finish(head)
    dead.close()
    store = spool.store()
    store.adopt()

    assert [b"2", b"3"] == take_all(store)


def test_a_deleted_folder_is_made_again(spool: Spool) -> None:
    """If somebody deletes the spool under a program, later batches are kept; the deleted ones are counted."""
    store = spool.store(size=8_000)
    for _ in range(3):
        store.append(noise(1000), 2)
    shutil.rmtree(spool.root)
    for number in range(4):
        store.append(b"%d" % number + noise(1000), 1)
    left = take_all(store)

    assert [b"1", b"2", b"3"] == [batch[:1] for batch in left][-3:]
    assert 10 == 2 * (len(left) - 4) + 4 + spool.lost["spool_damaged"]
    store.close()
    assert [] == list(spool.root.iterdir())


def test_after_a_deletion_batches_outlive_the_program_again(spool: Spool) -> None:
    """After somebody has deleted the spool, what comes is on the disk, and what came before is still sent."""
    store = spool.store()
    store.append(b"deleted", 1)
    before = store.position()
    shutil.rmtree(spool.root)
    store.append(b"kept", 1)
    assert 1 == len(list(spool.root.glob("*/*.spool")))

    own = store.head()
    assert own
    assert own.batch.payload == b"kept"
    store.finish(own)
    assert (False, False) == (store.passed(before), store.passed())
    assert [b"deleted"] == take_all(store)
    assert (True, True, {}) == (store.passed(before), store.passed(), spool.lost)


def test_deleted_sums_are_no_loss(spool: Spool) -> None:
    """Of metrics, the batch that comes after a deletion says all that the deleted one said."""
    store = spool.store(newest_only=True)
    store.append(b"old", 5)
    shutil.rmtree(spool.root)
    store.append(b"new", 5)

    assert ([b"new"], {}) == (take_all(store), spool.lost)


def test_a_full_disk_leaves_no_half_batch(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk takes only a part of a batch, the file ends before it, and later batches are whole."""
    store = spool.store()
    store.append(b"before", 1)
    pwrite = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda file, data, place: pwrite(file, data[: len(data) // 2], place))
        with pytest.raises(OSError, match="No space left"):
            store.append(b"lost", 1)
    store.append(b"after", 1)

    assert ([b"before", b"after"], {}) == (take_all(store), spool.lost)


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let the system refuse to open another file, as to a program that has too many open."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 10, limits[1]))
    try:
        with ExitStack() as opened:
            with suppress(OSError):
                while True:
                    opened.enter_context(open(os.devnull, "rb"))
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_too_many_open_files_lose_nothing(spool: Spool) -> None:
    """What cannot be read because the program has too many open files is there when it has fewer."""
    store = spool.store(size=24_000)
    batches = [noise(2_000) for _ in range(6)]
    for batch in batches:
        store.append(batch, 1)
    with no_more_files(), pytest.raises(OSError, match="Too many open files"):
        take_all(store)

    assert (batches, {}) == (take_all(store), spool.lost)


def test_what_cannot_be_written_leaves_nothing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program whose batches are not taken fills the disk with no empty files and folders."""
    store = spool.store(newest_only=True)
    with no_more_files():
        for _ in range(3):
            with pytest.raises(OSError, match="Too many open files"):
                store.append(b"lost", 1)
    assert [] == list(spool.root.iterdir())

    store.append(b"kept", 1)
    pwrite = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda file, data, place: pwrite(file, data[:30], place))
        for _ in range(3):
            with pytest.raises(OSError, match="No space left"):
                store.append(noise(50), 1)
    assert ["0000000001.spool", "lock"] == sorted(path.name for path in spool.root.glob("*/*"))
    assert [b"kept"] == take_all(store)


def test_what_nothing_can_be_written_in_is_counted_once(spool: Spool) -> None:
    """If the spool's folder leads to a disk that is gone, what was there is counted once."""
    root = spool.root / "link"
    store = Store(str(root), "traces", Limits(8_000, DAY), spool.note)
    store.append(noise(1_000), 2)
    shutil.rmtree(root)
    root.symlink_to(spool.root / "gone")
    for _ in range(3):
        with pytest.raises(FileExistsError):
            store.append(noise(1_000), 1)
    assert 2 == store.items()
    assert ([], {"spool_damaged": 2}) == (take_all(store), spool.lost)


def test_many_dead_processes_take_few_descriptors(spool: Spool) -> None:
    """However many have died, a program that inherits from them opens no more files for it."""
    for number in range(40):
        spool.leave(b"%02d" % number)
    store = spool.store()
    before = len(os.listdir("/dev/fd"))
    store.adopt()

    assert len(os.listdir("/dev/fd")) - before < 5
    assert len(list(spool.root.iterdir())) == 1
    assert [b"%02d" % number for number in range(40)] == take_all(store)
    assert spool.lost == {}


def test_the_users_own_files_stay(spool: Spool) -> None:
    """Only what a spool has made is deleted: no folder that looks like its own, and nothing put into one."""
    beside = spool.root / "traces-archive"
    beside.mkdir()
    (beside / "lock").touch()
    (beside / "old.jsonl").write_text("{}")
    dead = spool.store()
    dead.append(b"left behind", 1)
    (folder,) = (path for path in spool.root.iterdir() if path != beside)
    (folder / "notes.txt").write_text("why it died")
    dead.close()
    store = spool.store()
    store.adopt()
    taken = take_all(store)
    store.close()

    assert [b"left behind"] == taken
    assert {"lock", "old.jsonl"} == {path.name for path in beside.iterdir()}
    assert ["notes.txt"] == [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("is_folder", [True, False])
def test_one_that_cannot_be_taken_stops_no_other(
    spool: Spool, caplog: pytest.LogCaptureFixture, *, is_folder: bool
) -> None:
    """What cannot be opened is told of once, by its path; the rest of the spool is sent."""
    odd = spool.root / f"traces-{0:032}"
    if is_folder:
        (odd / "lock").mkdir(parents=True)  # as unusable as another user's, also for root
    else:
        odd.touch()
    spool.leave(b"left behind")
    store = spool.store()
    store.adopt()
    store.adopt()

    assert [b"left behind"] == take_all(store)
    assert [str(odd) in record.getMessage() for record in caplog.records] == [True]


def test_what_cannot_be_moved_is_left_to_others(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a leftover cannot be moved it stays, unlocked, and the program goes on."""
    spool.leave(b"left behind")
    store, other = spool.store(), spool.store()
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", _refuse_files(os.rename))
        store.adopt()
    store.append(b"own", 1)
    other.adopt()

    assert ([b"own"], [b"left behind"]) == (take_all(store), take_all(other))
    assert "Permission denied" in caplog.text


def _refuse_files(rename: Callable[[str, str], None]) -> Callable[[str, str], None]:
    def rename_folders(source: str, target: str) -> None:
        if source.endswith(".spool"):
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    return rename_folders


def test_a_full_disk_keeps_no_leftover_from_being_sent(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What dead processes left needs no room to be taken, and what cannot be moved now is moved later."""
    for number in range(3):
        spool.leave(b"%d" % number)
    store = spool.store()
    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", _full_disk)
        patch.setattr(os, "rename", _renames_once(os.rename))
        store.adopt()
    store.adopt()

    assert [b"0", b"1", b"2"] == sorted(take_all(store))
    assert spool.lost == {}
    store.close()
    assert [] == list(spool.root.iterdir())


def test_a_folder_of_a_process_that_was_killed_in_its_last_step_goes(spool: Spool) -> None:
    """An empty folder without a lock is deleted by the next process that looks."""
    (spool.root / f"traces-{7:032}").mkdir()
    spool.store().adopt()

    assert [] == list(spool.root.iterdir())


def _full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def _renames_once(rename: Callable[[str, str], None]) -> Callable[[str, str], None]:
    left = [rename]
    return lambda *paths: left.pop()(*paths) if left else _full_disk()
