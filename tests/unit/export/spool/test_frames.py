"""What is written to a spool file is read again; what is damaged, and only that, is skipped and counted."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from litespan.export.ledger import LOGS, METRICS, TRACES
from litespan.export.spool.frames import HEADER_BYTES, SIGNALS, Batch, encode, find

BATCHES = st.lists(
    st.builds(
        Batch,
        st.sampled_from([TRACES, METRICS, LOGS]),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**33).map(float),
        st.binary(max_size=300),
    ),
    min_size=1,
    max_size=6,
)


def read_all(data: bytes) -> tuple[list[Batch], int]:
    """Return all good batches in these bytes, and the number of lost items."""
    batches, lost, place = [], 0, 0
    while found := find(lambda start, length: data[start : start + length], place, len(data)):
        assert found.end > place
        place = found.end
        lost += found.lost
        if found.batch:
            batches.append(found.batch)
    return batches, lost


@given(BATCHES)
def test_what_is_written_is_read(batches: list[Batch]) -> None:
    """All batches come back in their order, with nothing lost."""
    assert (batches, 0) == read_all(b"".join(map(encode, batches)))


@given(BATCHES, st.data())
def test_cut_tail_costs_the_last_batch_only(batches: list[Batch], data: st.DataObject) -> None:
    """A file that was cut in its last batch has all the others, and counts that one."""
    last = encode(batches[-1])
    cut = data.draw(st.integers(1, len(last) - 1))
    found, lost = read_all(b"".join(map(encode, batches[:-1])) + last[:cut])

    assert batches[:-1] == found
    assert lost == (batches[-1].items if cut >= HEADER_BYTES else 1)


@settings(max_examples=200)
@given(BATCHES, st.data())
def test_one_bad_byte_costs_one_batch(batches: list[Batch], data: st.DataObject) -> None:
    """A byte that changed costs the batch in which it is, wherever that is."""
    frames = [encode(batch) for batch in batches]
    number = data.draw(st.integers(0, len(frames) - 1))
    place = data.draw(st.integers(0, len(frames[number]) - 1))
    damaged = bytearray(frames[number])
    damaged[place] ^= data.draw(st.integers(1, 255))
    found, lost = read_all(b"".join([*frames[:number], bytes(damaged), *frames[number + 1 :]]))

    assert batches[:number] + batches[number + 1 :] == found
    assert lost == (batches[number].items if place >= HEADER_BYTES else 1)


@given(st.binary(max_size=2000))
def test_anything_can_be_read(data: bytes) -> None:
    """Any bytes are read to their end without an error."""
    read_all(data)


def test_signals_keep_their_numbers() -> None:
    """Files of an older litespan can be read: the order of the signals is part of the format."""
    assert ("traces", "metrics", "logs") == SIGNALS
