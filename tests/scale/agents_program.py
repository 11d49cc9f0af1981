"""Agents that litespan observes: `python -m tests.scale.agents_program`.

Real runs of the Agents SDK on LiteLLM models and a fake provider, with `litespan.configure` as any program
has it. Some fail, some are dear, some are slow. The report is what the program sent, as OTLP.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Final

from tests.isolation import clean_environment

clean_environment(os.environ)  # before LiteLLM is imported, which reads its variables then

import click  # noqa: E402
from agents import Agent  # noqa: E402
from openai import OpenAIError  # noqa: E402
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans  # noqa: E402

import litespan  # noqa: E402
from litespan.testing import Provider, Reply, Request, ServedUsage  # noqa: E402
from tests.flow.models import litespan_model  # noqa: E402
from tests.flow.team import WRITER, build_team, play, run_team  # noqa: E402
from tests.integration.span_copies import copy_of_spans  # noqa: E402
from tests.ledger.output import unprinted  # noqa: E402

_KINDS: Final = ("ordinary", "failing", "dear", "slow")
_DEAR: Final = ServedUsage(input_tokens=10_000_000, output_tokens=1_000_000)  # more than 20 USD
_RUNS: Final = 16  # pairs of every kind in turn: one streamed, one not
_TOGETHER: Final = 4
_WAIT: Final = 60.0  # seconds


@click.command()
@click.option("--otlp", required=True, help="Base URL of an OTLP receiver (http/protobuf).")
@click.option("--service", required=True, help="The service's name.")
@click.option("--slow", required=True, type=float, help="Seconds that the last model of a slow run takes.")
@click.option("--content", is_flag=True, help="Put prompts and answers on the spans.")
@click.option("--report", required=True, type=Path, help="The file to write.")
def main(otlp: str, service: str, slow: float, content: bool, report: Path) -> None:
    """Play the runs, send their telemetry, write the report."""
    with Provider() as provider, unprinted():
        provider.respond = lambda request: _reply(request, slow)
        litespan.configure(
            service_name=service, otlp_endpoint=otlp, capture_content="SPAN_ONLY" if content else "NO_CONTENT"
        )
        spans = copy_of_spans()
        team = build_team(lambda name: litespan_model(provider, name))
        asyncio.run(_play(team))
        if not litespan.flush(_WAIT):
            raise click.ClickException(f"not everything was delivered: {litespan.stats()['export']}")
        report.write_bytes(encode_spans(spans.get_finished_spans()).SerializeToString())
        litespan.shutdown(_WAIT)


def _reply(request: Request, slow: float) -> Reply:
    """Answer as the team's models do; with the writer's answer a run fails, becomes dear, or is slow."""
    reply = play(request)
    if request.model != WRITER:
        return reply
    number = int(re.findall(r"run (\d+)", str(request.messages))[0])
    match _KINDS[number // 2 % len(_KINDS)]:
        case "failing":
            return Reply.fails(400, code="context_length_exceeded")
        case "dear":
            return reply.but(usage=_DEAR)
        case "slow":
            return reply.but(delay=slow)
        case _:
            return reply


async def _play(team: Agent[None]) -> None:
    limit = asyncio.Semaphore(_TOGETHER)

    async def run(number: int) -> None:
        async with limit:
            await run_team(team, number)

    ends = await asyncio.gather(*(run(number) for number in range(_RUNS)), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, OpenAIError):
            raise end


if __name__ == "__main__":
    main()
