"""The mixture of runs that the driver copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.scale.runs import Kind, Run, one_of_each
from tests.scale.servers.chain import LIMITS

# Of 20 runs; as in life, most are of no interest.
MIX: Final[Mapping[Kind, int]] = {"ordinary": 17, "failing": 1, "dear": 1, "slow": 1}


def templates(runs: Mapping[str, Run]) -> list[Run]:
    """Return one run of each kind, as often as the mix says."""
    of_kind = one_of_each(runs, LIMITS)
    return [of_kind[kind] for kind, count in MIX.items() for _ in range(count)]
