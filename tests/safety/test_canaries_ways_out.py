"""Secrets on the way out: none in files, on the terminal, in a spool, or in what commands print."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

import litespan
from litespan import _api
from litespan.export import pipeline as pipelines
from litespan.export.spool.segment import Segment, is_spool_file
from litespan.settings import load_settings
from litespan.testing import Provider
from tests.fakes.otlp_server import dead_endpoint
from tests.safety.canaries import CANARIES, CREDENTIALS, found_in
from tests.safety.planted_calls import good, refused, router, url_user_info
from tests.safety.planted_runs import broken_tool, desk
from tests.safety.test_canaries import everything

pytestmark = pytest.mark.timeout(180)

ACTS = (good, refused, router, url_user_info, desk, broken_tool)
# What a receiver wants: canaries of this file only.
RECEIVER = {
    "user": "canary-90-otlp-user",
    "password": "canary-91-otlp-password",
    "token": "canary-92-otlp-token",
}


def texts_in(folder: Path) -> str:
    """Return names and contents of all files below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return "\n".join(f"{path}\n{path.read_bytes().decode('utf-8', 'replace')}" for path in files)


def spooled(folder: Path) -> str:
    """Return what is in the files of a spool, unpacked."""
    files = [path for path in folder.rglob("*") if path.is_file() and is_spool_file(path.read_bytes())]
    return "\n".join(text for path in files for text in _batches(path))


def _batches(path: Path) -> list[str]:
    segment, found = Segment(str(path)), []
    place = segment.sent
    while frame := segment.next(place):
        found.append(frame.batch.payload.decode("utf-8", "replace") if frame.batch else "")
        place = frame.end
    segment.close()
    return found


@pytest.fixture
def guarded_receiver(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the endpoint of a receiver that is not there and wants credentials."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARIES["environment_key"])
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer {RECEIVER['token']}")
    user_info = f"{RECEIVER['user']}:{RECEIVER['password']}"
    return dead_endpoint().replace("://", f"://{user_info}@")


def run(provider: Provider, folder: Path, **settings: object) -> str:
    """Run the acts with everything written below a folder; return what litespan says about itself."""
    loaded = load_settings({}, **settings)
    handler = logging.FileHandler(folder / "log.txt")
    logging.getLogger("litespan").addHandler(handler)
    built = pipelines.build(loaded, use_globals=False)
    _api.install(loaded, built)
    try:
        asyncio.run(everything(provider, ACTS))
        return f"{built.describe()} {litespan.stats()}"
    finally:
        litespan.shutdown(2)
        logging.getLogger("litespan").removeHandler(handler)


@pytest.mark.parametrize("mode", ["NO_CONTENT", "SPAN_AND_EVENT"])
def test_files_terminal_and_spool(
    provider: Provider, tmp_path: Path, guarded_receiver: str, capfd: pytest.CaptureFixture[str], mode: str
) -> None:
    """What is written anywhere has no credential, neither the program's nor the receiver's."""
    said = run(
        provider,
        tmp_path,
        capture_content=mode,
        traces_exporter="otlp,litespan_file,console",
        metrics_exporter="otlp,litespan_file",
        logs_exporter="otlp,litespan_file",
        otlp_endpoint=guarded_receiver,
        spool_dir=tmp_path / "spool",
        **{f"{signal}_file": tmp_path / f"{signal}.jsonl" for signal in ("traces", "metrics", "logs")},
    )
    printed = said + "".join(capfd.readouterr())
    written, kept = texts_in(tmp_path), spooled(tmp_path / "spool")
    everywhere = printed + written + kept

    assert ["gpt-4o-mini" in text for text in (printed, written, kept)] == [True] * 3
    assert [] == found_in(everywhere, CREDENTIALS)
    assert [] == [name for name, secret in RECEIVER.items() if secret in everywhere]
    assert [] == found_in(printed)
    assert [mode == "SPAN_AND_EVENT"] * 2 == ["user_prompt" in found_in(text) for text in (written, kept)]


@pytest.mark.parametrize("command", ["summary", "doctor", "demo"])
def test_commands(provider: Provider, tmp_path: Path, guarded_receiver: str, command: str) -> None:
    """`litespan summary`, `doctor` and `demo` print no secret of files or of the environment."""
    traces = tmp_path / "traces.jsonl"
    if command == "summary":
        run(provider, tmp_path, traces_exporter="litespan_file", traces_file=traces, metrics_exporter="none")
    proxy = f"http://me:{CANARIES['egress_proxy_password']}@127.0.0.1:9"
    arguments = {"summary": [str(traces), "--verbose"], "doctor": ["--timeout", "1"], "demo": []}[command]
    done = subprocess.run(
        [sys.executable, "-c", "from litespan.cli import main; main()", command, *arguments],
        cwd=tmp_path,
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": guarded_receiver, "HTTPS_PROXY": proxy},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    printed = done.stdout + done.stderr

    assert {"summary": "gpt-4o-mini", "doctor": "127.0.0.1", "demo": "chat"}[command] in printed
    assert [] == found_in(printed)
    assert [] == [name for name, secret in RECEIVER.items() if secret in printed]
