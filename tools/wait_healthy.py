"""Wait until the servers of docker-compose.yml answer on their health ports, then print where to look.

`make up` runs it. It needs the standard library only, so that the stack can be started before anything is
installed. Collector and Jaeger have no shell inside, so nothing but a look from outside can tell.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Final

SERVERS: Final[Mapping[str, str]] = {
    "otel-collector": "http://127.0.0.1:13133/",
    "jaeger": "http://127.0.0.1:13134/status",
    "prometheus": "http://127.0.0.1:9090/-/ready",
    "grafana": "http://127.0.0.1:3000/api/health",
}
"""The services of docker-compose.yml by name, and what answers 200 once each is ready."""

LINKS: Final = """\
Traces      http://localhost:16686
Dashboards  http://localhost:3000/d/litespan-cost
Metrics     http://localhost:9090

Send something:  litespan demo --otlp http://127.0.0.1:4318"""

_PAUSE_SECONDS: Final = 0.5
_ANSWER_SECONDS: Final = 2.0

# A proxy of the environment must not be asked for addresses of this machine.
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Say = Callable[[str], None]


def main(arguments: list[str] | None = None, servers: Mapping[str, str] = SERVERS) -> int:
    """Wait, and return the exit code: 0 all are healthy, 1 the time is up."""
    parser = argparse.ArgumentParser(description="Wait until the stack is healthy.")
    parser.add_argument("--seconds", type=float, default=180.0, help="how long to wait at most (180)")
    seconds = parser.parse_args(arguments).seconds
    troubles = wait(servers, seconds, progress(sys.stderr.isatty()))
    if not troubles:
        print(LINKS)
        return 0
    print(f"Not healthy after {seconds:.0f} seconds:", file=sys.stderr)
    for name, trouble in troubles.items():
        print(f"  {name}: {trouble} (docker compose logs {name})", file=sys.stderr)
    return 1


def wait(servers: Mapping[str, str], seconds: float, say: Say) -> dict[str, str]:
    """Ask all servers until each has answered 200 once or the time is up.

    Args:
        servers: health URLs by name.
        seconds: how long to wait at most.
        say: is told after each round what is still awaited.

    Returns:
        What is wrong, by the name of each server that did not become healthy.
    """
    begin = time.monotonic()
    troubles = dict.fromkeys(servers, "was not asked")
    while True:
        troubles = {name: text for name in troubles if (text := trouble(servers[name]))}
        spent = time.monotonic() - begin
        say(f"Waiting for {', '.join(troubles)} ({spent:.0f} of {seconds:.0f} s)" if troubles else "Healthy")
        if not troubles or spent >= seconds:
            return troubles
        time.sleep(min(_PAUSE_SECONDS, seconds - spent))


def trouble(url: str) -> str:
    """Return what is wrong with the server behind a health URL; empty if it answers 200."""
    try:
        with _DIRECT.open(url, timeout=_ANSWER_SECONDS) as answer:
            return "" if answer.status == 200 else f"answers {answer.status}"  # noqa: PLR2004 - HTTP's OK
    except urllib.error.HTTPError as error:
        return f"answers {error.code}"
    except (OSError, http.client.HTTPException) as error:
        return f"does not answer: {getattr(error, 'reason', error)!s}"


def progress(terminal: bool) -> Say:  # noqa: FBT001 - one argument
    """Return what shows the state: one line that changes on a terminal, else a line for each change."""
    shown = ""

    def say(text: str) -> None:
        nonlocal shown
        state = text.partition(" (")[0]
        if terminal:
            print(f"\r\033[K{text}", end="\n" if text == "Healthy" else "", file=sys.stderr, flush=True)
        elif state != shown:
            print(text, file=sys.stderr, flush=True)
        shown = state

    return say


if __name__ == "__main__":
    sys.exit(main())
