"""What two readers of one stream do to the context of a call."""

from __future__ import annotations

from litespan.records import ModelCall
from litespan.sources.litellm_call import OpenCall, current


def test_a_second_reader_while_the_first_one_leaves() -> None:
    """A reader that ends while another thread takes the call out of its own context raises nothing."""
    call = OpenCall.__new__(OpenCall)
    call.record = ModelCall()
    token = current.set(call)
    call._token, call._span_token = token, None
    current.reset(token)

    call.__exit__(None, None, None)

    assert current.get() is None
