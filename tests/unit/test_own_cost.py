"""What providers say themselves that a call cost: every spelling is read, nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.types.utils import Usage

from litespan.sources.litellm_own_cost import own_cost
from litespan.sources.litellm_usage import reader

BEHIND = {"is_byok": True, "cost": 0.25}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(["total_cost", "upstream_inference_cost"]), inner),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"cost": 0.25}, 0.25),
        ({"cost": "0.25"}, 0.25),
        ({"cost": 0}, 0.0),
        ({"cost": {"total_cost": 0.25, "request_cost": 0.125}}, 0.25),
        ({"cost_in_usd_ticks": 37_756_000}, 0.0037756),
        ({"estimated_cost": 0.25}, 0.25),
        ({**BEHIND, "cost_details": {"upstream_inference_cost": 0.5}}, 0.75),
        ({**BEHIND, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.5}}, 0.25),
        (BEHIND, None),
        ({**BEHIND, "cost_details": {"upstream_inference_cost": None}}, None),
        ({"cost": {"input_tokens_cost": 0.25}}, None),
        ({"cost": -0.25}, None),
        ({"cost": True}, None),
        ({"cost": "much"}, None),
        ({"cost": float("nan")}, None),
        ({"cost": float("inf")}, None),
        ({"prompt_tokens": 3}, None),
        (None, None),
        ((), None),
    ],
)
def test_spellings(raw: Any, expected: float | None) -> None:
    """Each provider's spelling gives USD; what is no amount, or only a part of the bill, gives nothing."""
    assert expected == own_cost(reader(raw), None)


def test_litellms_usage_passes_them_on() -> None:
    """The fields of providers are found on LiteLLM's own object."""
    counts: dict[str, Any] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    assert 0.25 == own_cost(reader(Usage(**counts, cost=0.25)), None)
    assert 0.25 == own_cost(reader(Usage(**counts, estimated_cost=0.25)), None)
    assert 0.25 == own_cost(reader(Usage(**counts, cost_in_usd_ticks=2_500_000_000)), None)


@pytest.mark.parametrize(("kept", "expected"), [(None, None), (0.5, 0.5), (0.0, 0.0)])
def test_a_figure_of_litellm_in_the_providers_place(kept: float | None, expected: float | None) -> None:
    """LiteLLM's own figure is not the provider's word, which it keeps beside the usage."""
    assert expected == own_cost(reader({"cost": 0.25}), {"upstream_usage_cost": kept})
    assert 0.25 == own_cost(reader({"cost": 0.25}), {"response_cost": kept})


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("cost", "cost_details", "is_byok", "cost_in_usd_ticks", "estimated_cost"), anything
        ),
    )
)
def test_never_raises(raw: dict[str, Any]) -> None:
    """Whatever a server sends, there is an amount that is finite and not negative, or none."""
    cost = own_cost(reader(raw), None)
    assert cost is None or 0 <= cost < float("inf")
