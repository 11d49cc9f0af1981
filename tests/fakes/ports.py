"""Ports for servers that cannot choose one themselves, and for those that are killed and come back."""

from __future__ import annotations

import socket
from random import SystemRandom
from typing import Final

# Below what systems take for outgoing connections and for servers that let the system choose: either of those
# could take the port before its server has begun, or answer where a test relies on nobody.
_LOWEST: Final = 20_000
_HIGHEST: Final = 32_000
# The tests' own seed would give every process of a test run the same ports.
_RANDOM: Final = SystemRandom()
_given: Final[set[int]] = set()


def free_port() -> int:
    """Return a port of this machine that is free, was not given before, and stays free when it is left."""
    while True:
        port = _RANDOM.randrange(_LOWEST, _HIGHEST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
