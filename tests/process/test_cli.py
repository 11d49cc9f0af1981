"""The command line as a user meets it: real processes, exit codes, streams, terminals."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from time import monotonic

import pytest

import litespan
from litespan.testing import Provider
from tests.fakes.otlp_server import Received, collector, dead_endpoint

pytestmark = pytest.mark.timeout(240)

MODEL = "openai/gpt-4.1-mini"
LITESPAN = [sys.executable, "-c", "from litespan.cli import main; main(prog_name='litespan')"]

# What a user's environment may hold, and the demo must not mind.
HOSTILE = {
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "OTEL_SDK_DISABLED": "true",
    "OTEL_TRACES_SAMPLER": "always_off",
    "OTEL_TRACES_EXPORTER": "console",
    "LITELLM_LOG": "DEBUG",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
}


def start(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start the command with its output piped."""
    return subprocess.Popen(
        [*LITESPAN, *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end; return exit code, standard output and standard error."""
    output, errors = process.communicate(timeout=200)
    return process.returncode, output, errors


class Started:
    """The commands whose imports take seconds, run side by side."""

    def __init__(self, folder: Path, provider: Provider, receiver: Received) -> None:
        def there(name: str) -> Path:
            (folder / name).mkdir()
            return folder / name

        self.provider = provider
        self.receiver = receiver
        self.folder = folder
        real = {"OPENAI_API_KEY": "none", "OPENAI_API_BASE": provider.base_url}
        self.json = start("demo", "--json", cwd=there("json"), env=HOSTILE)
        self.sent = start(
            "demo", "--model", MODEL, "--runs", "2", "--otlp", receiver.endpoint, cwd=there("sent"), env=real
        )
        self.lost = start("demo", "--json", "--runs", "1", "--otlp", dead_endpoint(), cwd=there("lost"))
        self.no_key = start("demo", "--model", MODEL, cwd=there("no_key"), env=HOSTILE)
        self.unknown = start("demo", "--model", "opnai/gpt-4.1-mini", cwd=there("unknown"))

    def all(self) -> Sequence[subprocess.Popen[str]]:
        """Return all processes."""
        return [self.json, self.sent, self.lost, self.no_key, self.unknown]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Start them all; end what a failed test left running."""
    with Provider() as provider, collector() as receiver:
        commands = Started(tmp_path_factory.mktemp("demo"), provider, receiver)
        yield commands
        for process in commands.all():
            if process.poll() is None:
                process.kill()
                process.communicate()


def test_json_and_files(started: Started) -> None:
    """`--json` prints figures and nothing else, whatever is in the environment; the files are written."""
    code, output, errors = finish(started.json)
    document = json.loads(output)
    lines = (started.folder / "json" / "litespan-demo-traces.jsonl").read_text(encoding="utf-8").splitlines()
    resource = json.loads(lines[0])["resourceSpans"][0]["resource"]["attributes"]

    assert (0, "") == (code, errors)
    assert len(document["runs"]) == 12
    assert (True, True) == (document["provider"]["same"], document["delivered"])
    assert {"key": "service.name", "value": {"stringValue": "litespan-demo"}} in resource
    assert document["exported"]["traces"] == sum(
        len(scope["spans"])
        for line in lines
        for group in json.loads(line)["resourceSpans"]
        for scope in group["scopeSpans"]
    )
    assert (started.folder / "json" / "litespan-demo-metrics.jsonl").stat().st_size > 0


def test_real_model_and_receiver(started: Started) -> None:
    """`--model` asks that model with the user's key and endpoint; `--otlp` sends all, and writes no file."""
    code, output, errors = finish(started.sent)

    assert (0, "") == (code, errors)
    assert {"gpt-4.1-mini"} == {served.model for served in started.provider.served}
    assert output.startswith("A support desk of four agents, on openai/gpt-4.1-mini.")
    assert (True, False) == ("T-102" in output, "T-103" in output)
    assert "The provider served" not in output
    assert f"\n{len(started.receiver.spans())} spans and " in output
    assert started.receiver.metrics()
    assert "Everything was delivered." in output
    assert "\x1b" not in output
    assert [] == list((started.folder / "sent").iterdir())


def test_dead_receiver(started: Started) -> None:
    """If nothing listens at the receiver, the figures and the exit code say that nothing was delivered."""
    code, output, errors = finish(started.lost)

    assert (1, False, 0) == (code, json.loads(output)["delivered"], json.loads(output)["exported"]["traces"])
    assert "litespan could not export traces" in errors
    assert "Traceback" not in errors


def test_missing_key(started: Started) -> None:
    """A model without its key is refused with the variable to set; nothing has been written then."""
    code, output, errors = finish(started.no_key)

    assert (2, "") == (code, output)
    assert errors.startswith("Error: openai/gpt-4.1-mini needs access to openai.")
    assert "export OPENAI_API_KEY=" in errors
    assert [] == list((started.folder / "no_key").iterdir())


def test_unknown_model(started: Started) -> None:
    """A model that LiteLLM does not know is refused with one that is close to it."""
    code, output, errors = finish(started.unknown)

    assert (2, "") == (code, output)
    assert "does not know the model 'opnai/gpt-4.1-mini'" in errors
    assert "Did you mean openai/gpt-4.1-mini?" in errors


def test_terminal_and_interrupt(tmp_path: Path) -> None:
    """On a terminal there is progress; Ctrl-C ends the command with 130 and one word, without a traceback."""
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [*LITESPAN, "demo"],
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    seen = read_until(master, "Importing LiteLLM", seconds=100)
    process.send_signal(signal.SIGINT)
    code = process.wait(100)
    seen += read_until(master, "Stopped.", seconds=10)
    os.close(master)

    assert code == 130
    assert "\x1b[" in seen
    assert "Traceback" not in seen


def read_until(descriptor: int, words: str, seconds: float) -> str:
    """Read a terminal until these words were printed; fail after that many seconds, or when nobody writes."""
    seen, deadline = "", monotonic() + seconds
    while words not in seen:
        assert monotonic() < deadline, seen
        if select.select([descriptor], [], [], 0.1)[0]:
            try:
                seen += os.read(descriptor, 4096).decode(errors="replace")
            except OSError as error:  # as Linux says that the last writer has gone
                raise AssertionError(seen) from error
    return seen


def test_closed_output(tmp_path: Path) -> None:
    """A reader that has gone ends the command without a traceback."""
    process = start("demo", "--help", cwd=tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, _, errors = finish(process)

    assert "Traceback" not in errors


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder that cannot be made is refused at once."""
    (tmp_path / "file").touch()
    code, output, errors = finish(start("demo", "--output", "file/below", cwd=tmp_path))

    assert (2, "") == (code, output)
    assert "--output file/below: the folder cannot be made" in errors


def test_version(tmp_path: Path) -> None:
    """`--version` names the program and its version, which is the module's."""
    assert version("litespan") == litespan.__version__
    assert (0, f"litespan {litespan.__version__}\n", "") == finish(start("--version", cwd=tmp_path))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's device that is always full")
@pytest.mark.parametrize("option", ["--csv", "--json", "--top=1"])
def test_a_full_disk_is_told_in_one_line(tmp_path: Path, option: str) -> None:
    """Who saves a summary where nothing more fits gets a sentence, not a traceback, and no success."""
    (tmp_path / "empty.jsonl").touch()
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [*LITESPAN, "summary", "empty.jsonl", option],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=100,
        )

    assert (1, "Error: the output cannot be written (No space left on device).\n") == (
        done.returncode,
        done.stderr,
    )


@pytest.mark.parametrize("command", ["demo", "doctor", "send"])
def test_an_empty_address_is_wrong_use(tmp_path: Path, command: str) -> None:
    """`--otlp "$NOT_SET"` names the option and what to write, and tries no address of its own."""
    (tmp_path / "a").touch()
    arguments = ["a"] if command == "send" else []
    code, output, errors = finish(start(command, *arguments, "--otlp", "", cwd=tmp_path))

    assert (2, "") == (code, output)
    assert "'--otlp': it is empty; give the receiver's base URL, for example http://localhost:4318." in errors
