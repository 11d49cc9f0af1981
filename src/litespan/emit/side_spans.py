"""Spans beside agents and model calls: runs, lists of MCP tools, speech, transcriptions, any other step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from litespan import semconv
from litespan.emit.ended import seconds_of
from litespan.emit.span_kind import (
    Attributes,
    SpanEvent,
    SpanKindOf,
    end,
    known,
    named,
    start,
    start_plain,
    totals_of,
)
from litespan.records import McpTools, Record, Run, Speech, Step, Transcription, Workflow


def _end_run(run: Run) -> Attributes:
    return end(run, totals_of(run.totals))


def run_events(workflow: Workflow) -> Iterator[SpanEvent]:
    """Yield one event for each run that has ended, at its end; a trace with a single run is that run."""
    if workflow.runs < 2:  # noqa: PLR2004 - more than one
        return
    for run in workflow.ended_runs:
        facts = {semconv.RUN: run.run, semconv.RUN_DURATION.name: seconds_of(run), **_end_run(run)}
        yield SpanEvent(semconv.RUN, facts, run.end_ns)


def _start_mcp_tools(tools: McpTools) -> Attributes:
    return {**start_plain(tools), **known({semconv.MCP_SERVER: tools.server})}


def _end_mcp_tools(tools: McpTools) -> Attributes:
    return end(tools, known({semconv.MCP_TOOL_COUNT: tools.count}))


def _start_speech(speech: Speech) -> Attributes:
    facts: Attributes = {
        semconv.REQUEST_MODEL: speech.model,
        semconv.OUTPUT_TYPE: semconv.OUTPUT_SPEECH,
        semconv.SPEECH_VOICE: speech.voice,
        semconv.SPEECH_SPEED: speech.speed,
    }
    return start(speech, facts)


def _end_speech(speech: Speech) -> Attributes:
    facts = {
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK: speech.time_to_first_chunk,
        semconv.INPUT_MESSAGES: speech.text,
    }
    return end(speech, known(facts))


def _start_transcription(transcription: Transcription) -> Attributes:
    facts: Attributes = {
        semconv.REQUEST_MODEL: transcription.model,
        semconv.OUTPUT_TYPE: semconv.OUTPUT_TEXT,
        semconv.REQUEST_TEMPERATURE: transcription.temperature,
        semconv.TRANSCRIPTION_LANGUAGES: transcription.languages,
    }
    return start(transcription, facts)


def _end_transcription(transcription: Transcription) -> Attributes:
    return end(transcription, known({semconv.OUTPUT_MESSAGES: transcription.text}))


def _end_step(step: Step) -> Attributes:
    return end(step, known({semconv.STEP_DATA: step.data}))


SIDE_SPANS: Final[Mapping[type[Record], SpanKindOf]] = {
    Run: SpanKindOf(lambda r: named("task", r.name), start_plain, _end_run),
    McpTools: SpanKindOf(lambda r: named("mcp_tools", r.server), _start_mcp_tools, _end_mcp_tools),
    Speech: SpanKindOf(lambda r: named("speech", r.model), _start_speech, _end_speech),
    Transcription: SpanKindOf(
        lambda r: named("transcription", r.model), _start_transcription, _end_transcription
    ),
    Step: SpanKindOf(lambda r: named(r.kind, r.name), start_plain, _end_step),
}
