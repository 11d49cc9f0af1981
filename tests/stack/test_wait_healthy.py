"""`make up` waits for the servers: it says what is missing, ends when all are there, and gives up in time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.fakes.ports import free_port
from tools import wait_healthy

ROOT = Path(__file__).parents[2]


class Health(ThreadingHTTPServer):
    """A health port whose answer can be changed, and that counts how often it was asked."""

    status = 200
    asked = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}/ready"


class Answer(BaseHTTPRequestHandler):
    """Answers with the status that the server has now."""

    def do_GET(self) -> None:
        """Answer; who is not ready now, is when asked again."""
        assert isinstance(self.server, Health)
        status = self.server.status
        self.server.asked += 1
        self.server.status = 200 if status == 503 else status
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def health() -> Iterator[Health]:
    """Return a running health port."""
    with Health() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_waits_until_it_is_ready(health: Health, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that is not ready is asked again; then the three links are printed and the exit code is 0."""
    health.status = 503

    assert 0 == wait_healthy.main([], {"jaeger": health.url})

    out, err = capsys.readouterr()
    assert health.asked == 2
    assert ["Waiting for jaeger (0 of 180 s)", "Healthy"] == err.splitlines()
    assert 3 == len(re.findall(r"^\w+ +http://localhost:\d+", out, re.MULTILINE))


def test_gives_up_when_the_time_is_up(health: Health, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not healthy in time is named with its trouble and the command that shows more; exit code 1."""
    health.status = 500
    nobody = f"http://127.0.0.1:{free_port()}/"

    assert 1 == wait_healthy.main(["--seconds", "0.2"], {"jaeger": health.url, "grafana": nobody})

    out, err = capsys.readouterr()
    assert "" == out
    assert "  jaeger: answers 500 (docker compose logs jaeger)" in err
    assert re.search(r"  grafana: does not answer: .*refused", err)


def test_the_healthy_are_not_asked_again(health: Health) -> None:
    """Only what is missing is asked again."""
    wait_healthy.wait({"jaeger": health.url, "grafana": "http://127.0.0.1:1/"}, 0.6, lambda text: None)

    assert health.asked == 1


def test_another_protocol_is_no_answer() -> None:
    """A port on which something else than HTTP speaks is trouble, not a crash."""
    with Health() as server:

        def speak() -> None:
            connection, _ = server.socket.accept()
            connection.recv(1000)
            connection.sendall(b"\0\0\0\0\n")
            connection.close()

        thread = threading.Thread(target=speak)
        thread.start()

        assert "does not answer" in wait_healthy.trouble(server.url)
        thread.join()


def test_terminal_shows_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal, the progress is one line that is written over."""
    say = wait_healthy.progress(True)
    say("Waiting for jaeger (0 of 9 s)")
    say("Waiting for jaeger (1 of 9 s)")
    say("Healthy")

    shown = capsys.readouterr().err
    assert (
        "\r\033[KWaiting for jaeger (0 of 9 s)\r\033[KWaiting for jaeger (1 of 9 s)\r\033[KHealthy\n" == shown
    )


def test_every_server_of_the_stack_is_awaited() -> None:
    """Each service that stays up is asked, on a port that it publishes."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    stay = {name: service for name, service in services.items() if service["restart"] != "no"}

    assert set(stay) == set(wait_healthy.SERVERS)
    for name, url in wait_healthy.SERVERS.items():
        published = [port.rpartition(":")[0] for port in stay[name]["ports"]]
        assert re.findall(r"//([\d.]+:\d+)/", url)[0] in published


def test_links_lead_to_published_ports() -> None:
    """The links that are printed lead to ports that the stack publishes."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    assert [] == [
        port for port in re.findall(r":(\d{4,5})", wait_healthy.LINKS) if f"127.0.0.1:{port}:" not in text
    ]
