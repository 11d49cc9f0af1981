"""Voice pipelines: speech and transcriptions beside the agents, and never a sound of them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from agents import Agent, AgentsException
from agents.voice import (
    AudioInput,
    OpenAIVoiceModelProvider,
    SingleAgentVoiceWorkflow,
    StreamedAudioInput,
    STTModelSettings,
    TTSModelSettings,
    VoicePipeline,
    VoicePipelineConfig,
)
from openai import AsyncOpenAI, BadRequestError

from litespan.testing import Capture, Provider, Reply
from tests.fakes.openai_audio import SPOKEN, AudioWire
from tests.fakes.realtime_server import TranscribedTalk, realtime_server
from tests.flow.everything import emitted
from tests.flow.measured import measured
from tests.flow.models import litespan_model
from tests.versions import needs

STT, TTS = "gpt-transcribe", "gpt-4o-mini-tts"
SAID, ANSWER = "canary question", "canary answer."
PROMPT, MANNER = "canary prompt", "canary manner"
HEARD = np.frombuffer(b"canary sound" * 100, dtype=np.int16)
SOUNDS = [
    text
    for sound in (SPOKEN, HEARD.tobytes())
    for text in (sound.decode()[:60], base64.b64encode(sound).decode()[:60])
]

TREE = """\
invoke_workflow Voice Agent
  transcription gpt-transcribe gen_ai.request.model=gpt-transcribe gen_ai.output.type=text
  invoke_agent A litespan.run=1
    chat gpt-4o-mini litespan.run=1 gen_ai.request.model=gpt-4o-mini
  speech_group
    speech gpt-4o-mini-tts gen_ai.request.model=gpt-4o-mini-tts gen_ai.output.type=speech"""

MEASURED = """\
gen_ai.client.inference.usage.input_tokens A chat openai gpt-4o-mini unknown Voice Agent = 12
gen_ai.client.inference.usage.output_tokens A chat openai gpt-4o-mini unknown Voice Agent = 7
gen_ai.client.operation.cost chat openai gpt-4o-mini USD local x1
gen_ai.client.operation.duration chat openai gpt-4o-mini x1
gen_ai.client.operation.time_to_first_chunk chat openai gpt-4o-mini x1
gen_ai.client.token.usage chat openai gpt-4o-mini input x1
gen_ai.client.token.usage chat openai gpt-4o-mini output x1
gen_ai.invoke_agent.duration A x1
gen_ai.invoke_agent.inference_calls A x1
gen_ai.invoke_agent.tool_calls A x1
gen_ai.invoke_workflow.duration Voice Agent x1
litespan.call.attempts chat openai gpt-4o-mini = 1
litespan.calls A chat openai gpt-4o-mini Voice Agent ok = 1
litespan.calls.active chat openai gpt-4o-mini = 0
litespan.cost A chat openai gpt-4o-mini USD Voice Agent input = 1.8e-06
litespan.cost A chat openai gpt-4o-mini USD Voice Agent output = 4.2e-06
litespan.run.cost Voice Agent ok x1
litespan.run.duration Voice Agent ok x1
litespan.runs Voice Agent ok = 1"""


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Serve chat, speech and transcriptions on the loopback address."""
    with Provider(wires=[AudioWire()]) as running:
        running.script(STT, Reply.says(SAID))
        running.default = Reply.says(ANSWER)
        yield running


def pipeline(provider: Provider, websocket: str | None = None, **config: Any) -> VoicePipeline:
    """Return a pipeline around one agent."""
    client = AsyncOpenAI(
        base_url=provider.base_url, api_key="canary-key", max_retries=0, websocket_base_url=websocket
    )
    settings = VoicePipelineConfig(
        model_provider=OpenAIVoiceModelProvider(openai_client=client),
        group_id="talk-1",
        stt_settings=STTModelSettings(language="en", temperature=0.5, prompt=PROMPT),
        tts_settings=TTSModelSettings(voice="nova", speed=1.5, instructions=MANNER),
        **config,
    )
    workflow = SingleAgentVoiceWorkflow(Agent[None](name="A", model=litespan_model(provider)))
    return VoicePipeline(workflow=workflow, stt_model=STT, tts_model=TTS, config=settings)


async def talk(pipeline: VoicePipeline, audio: AudioInput | StreamedAudioInput | None = None) -> None:
    """Run a pipeline and hear it out."""
    result = await pipeline.run(audio or AudioInput(buffer=HEARD))
    async for _ in result.stream():
        pass


async def test_tree_and_metrics(provider: Provider) -> None:
    """Speech and transcription stand beside the agent; only the agent's model call is counted as a call."""
    with Capture(deterministic=True) as capture:
        await talk(pipeline(provider))

        shown = ("litespan.run", "gen_ai.request.model", "gen_ai.output.type")
        assert TREE == capture.tree(*shown)
        assert MEASURED.splitlines() == measured(capture)
        assert {"talk-1"} == {(span.attributes or {})["gen_ai.conversation.id"] for span in capture.spans}


async def test_parameters_and_first_sound(provider: Provider) -> None:
    """Safe parameters are there as asked for, and the seconds until the first sound came."""
    provider.script(TTS, Reply.says("", delay=0.2))
    with Capture() as capture:
        await talk(pipeline(provider))

        [heard], [spoken] = capture.named("transcription"), capture.named("speech gpt")
        assert ("en",) == (heard.attributes or {})["litespan.transcription.languages"]
        assert 0.5 == (heard.attributes or {})["gen_ai.request.temperature"]
        assert "nova" == (spoken.attributes or {})["litespan.speech.voice"]
        assert 1.5 == (spoken.attributes or {})["litespan.speech.speed"]
        first = float(str((spoken.attributes or {})["gen_ai.response.time_to_first_chunk"]))
        taken = ((spoken.end_time or 0) - (spoken.start_time or 0)) / 1e9
        assert 0.2 <= first <= taken + 0.1  # seconds; the SDK looks at the clock before it tells litespan
        for span in (heard, spoken):
            assert "gen_ai.operation.name" not in (span.attributes or {})


async def test_nothing_said_is_captured_by_default(provider: Provider) -> None:
    """No text, no manner of speaking, no hint and no sound is in what litespan emits."""
    with Capture() as capture:
        await talk(pipeline(provider))

    assert [1, 1] == [len(capture.named(start)) for start in ("transcription", "speech gpt")]
    assert "canary" not in emitted(capture)
    assert not any(sound in emitted(capture) for sound in SOUNDS)


def text_message(role: str, text: str) -> str:
    """Return a message in the conventions' JSON."""
    return f'[{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]}}]'


async def test_texts_are_captured_with_content_and_sounds_never(provider: Provider) -> None:
    """With content on the text that is spoken and what was understood are there, and still no sound."""
    with Capture(capture_content="SPAN_ONLY") as capture:
        await talk(pipeline(provider))

    [heard], [spoken] = capture.named("transcription"), capture.named("speech gpt")
    assert text_message("assistant", SAID) == (heard.attributes or {})["gen_ai.output.messages"]
    assert text_message("user", ANSWER) == (spoken.attributes or {})["gen_ai.input.messages"]
    assert not any(sound in emitted(capture) for sound in SOUNDS)
    for canary in (PROMPT, MANNER, "canary-key"):
        assert canary not in emitted(capture)


async def test_pipeline_that_forbids_it_has_no_text(provider: Provider) -> None:
    """`trace_include_sensitive_data=False` of a pipeline wins over the setting."""
    with Capture(capture_content="SPAN_ONLY") as capture:
        await talk(pipeline(provider, trace_include_sensitive_data=False))

    [heard], [spoken] = capture.named("transcription"), capture.named("speech gpt")
    assert "canary" not in heard.to_json() + spoken.to_json()


@pytest.mark.parametrize(("model", "start"), [(STT, "transcription"), (TTS, "speech gpt")])
async def test_failures(provider: Provider, model: str, start: str) -> None:
    """A transcription or a speech that fails says so on its span, with the class and without the message."""
    provider.reset()
    provider.script(STT, *([] if model == STT else [Reply.says(SAID)]))
    provider.respond = lambda request: (
        Reply.fails(400, message="canary message") if request.model == model else Reply.says(ANSWER)
    )
    with Capture(deterministic=True) as capture:
        with pytest.raises((BadRequestError, AgentsException)):
            await talk(pipeline(provider))

        [span] = capture.named(start)
        assert "error" == (span.attributes or {})["litespan.outcome"]
        assert "openai.BadRequestError" == (span.attributes or {})["error.type"]
        assert "canary" not in emitted(capture)


@needs("openai-agents", "0.24")  # older ones can stream to OpenAI's own address only
async def test_streamed_audio(provider: Provider) -> None:
    """Of audio that is streamed in, each turn has its transcription and its run, in one trace."""
    audio = StreamedAudioInput()  # type: ignore[no-untyped-call]
    async with realtime_server(TranscribedTalk("canary one", "canary two")) as url:
        with Capture(deterministic=True) as capture:
            await audio.add_audio(HEARD)
            await audio.add_audio(HEARD)
            await audio.add_audio(None)
            await talk(pipeline(provider, url), audio)

        assert 1 == len(capture.named("invoke_workflow"))
        assert [1, 2] == [(span.attributes or {})["litespan.run"] for span in capture.named("invoke_agent")]
        assert 2 <= len(capture.named("transcription"))
        assert 2 == len(capture.named("speech gpt"))
        assert "canary" not in emitted(capture)
