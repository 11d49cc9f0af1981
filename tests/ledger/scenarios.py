"""All scenarios: which providers each of them fits, streamed or not, and how often it is played."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.ledger import broken, plain, runs
from tests.ledger.job import Job, Plan
from tests.ledger.vendors import Vendor

WHOLE, STREAMED = (False,), (True,)
BOTH: Final = (False, True)


def _any(_: Vendor) -> bool:
    return True


def _openai(vendor: Vendor) -> bool:
    return vendor.name == "openai"


def _early(vendor: Vendor) -> bool:
    """Errors of a stream come when it is asked for; Gemini's with its first chunk, where nobody retries."""
    return vendor.name not in ("gemini", "vertex_ai")


def _read_unasked(vendor: Vendor) -> bool:
    """LiteLLM reads the usage that a stream tells unasked; not that in fields of Groq's and Moonshot's."""
    return vendor.name not in ("groq", "moonshot")


def _tells_errors(vendor: Vendor) -> bool:
    """LiteLLM raises on an error in the stream; of others it takes it for the end (litellm 1.83.0)."""
    return vendor.name in ("openai", "anthropic", "bedrock", "groq", "databricks")


def _in_pieces(vendor: Vendor) -> bool:
    """LiteLLM hands the pieces of a stream out as they come; Bedrock's it reads in blocks of 1,024 bytes."""
    return vendor.name != "bedrock"


def _with_tools(vendor: Vendor) -> bool:
    """LiteLLM takes tools for any model of this provider, and Bedrock's are not read in pieces."""
    return vendor.name not in ("bedrock", "together_ai", "perplexity", "ollama")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of job; `share` is how often it is played in a round, `blocking` that it runs in a thread."""

    plan: Callable[[Job], Plan]
    streams: tuple[bool, ...] = BOTH
    fits: Callable[[Vendor], bool] = _any
    share: int = 1
    blocking: bool = False

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.plan.__name__

    def ways(self, vendors: tuple[Vendor, ...]) -> Iterator[tuple[Vendor, bool]]:
        """Yield provider and streamed or not, for every way to play it."""
        for vendor in vendors:
            if self.fits(vendor):
                yield from ((vendor, stream) for stream in self.streams)


SCENARIOS: Final = (
    Scenario(plain.chat, share=4),
    Scenario(plain.chat_asked, STREAMED, share=2),
    Scenario(plain.chat_declined, STREAMED, _read_unasked),
    Scenario(plain.strict_server, STREAMED, _openai),
    Scenario(plain.client_retries, fits=lambda vendor: vendor.retries),
    Scenario(plain.litellm_retries, fits=_early),
    Scenario(plain.lost_answer, WHOLE),
    Scenario(plain.fallback, fits=_early),
    Scenario(plain.cache_hit),
    Scenario(plain.relayed, WHOLE),
    Scenario(plain.embeddings, WHOLE, lambda vendor: vendor.operations),
    Scenario(plain.text_completion, fits=lambda vendor: vendor.operations),
    Scenario(plain.responses, fits=lambda vendor: vendor.operations),
    Scenario(plain.blocking, share=2, blocking=True),
    Scenario(broken.refused),
    Scenario(broken.failed_in_stream, STREAMED, _tells_errors),
    Scenario(broken.timed_out, WHOLE),
    Scenario(broken.broken_answer, WHOLE),
    Scenario(broken.cut, STREAMED, share=2),
    Scenario(broken.cut_blocking, STREAMED, _in_pieces, blocking=True),
    Scenario(broken.cancelled_waiting),
    Scenario(broken.cancelled_reading, STREAMED, _in_pieces),
    Scenario(broken.closed, STREAMED, _in_pieces),
    Scenario(broken.dropped, STREAMED, _in_pieces),
    Scenario(runs.tool_run, fits=_with_tools, share=2),
    Scenario(runs.team_run, fits=_with_tools),
    Scenario(runs.retried_run),
    Scenario(runs.cancelled_run, STREAMED, _with_tools),
)
