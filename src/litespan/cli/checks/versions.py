"""Whether the hosts are versions that litespan was run with. Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litespan.cli.checks.finding import Finding, ok, problem, warning


class Range(NamedTuple):
    """The oldest version that is allowed, and the newest that the tests were run with."""

    oldest: str
    newest: str


TESTED: Final = {
    "openai-agents": Range("0.21", "0.24"),
    "litellm": Range("1.83.0", "1.110"),
    "opentelemetry-sdk": Range("1.40", "1.45"),
}
# Uploads of somebody who had stolen the key to LiteLLM's releases; they sent secrets away.
MALICIOUS: Final = ("1.82.7", "1.82.8")
_BAD_OTEL: Final = "1.45.0"


def check_version(package: str, installed: str | None) -> Finding:
    """Judge one host; ``installed`` is None where it is missing."""
    check, tested = f"version of {package}", TESTED[package]
    if installed is None:
        return problem(check, "is not installed", f"pip install '{package}>={tested.oldest}'")
    if package == "litellm" and installed in MALICIOUS:
        return problem(
            check,
            f"{installed} was a malicious upload: it reads secrets and sends them away",
            "pip install --force-reinstall 'litellm>=1.83.0'"
            "  # then replace every key and password this machine has held",
        )
    if package == "opentelemetry-sdk" and installed == _BAD_OTEL:
        return problem(
            check,
            f"{installed} ignores the environment's proxies when it exports",
            "pip install 'opentelemetry-sdk!=1.45.0' 'opentelemetry-exporter-otlp!=1.45.0'",
        )
    return _in_range(check, package, installed)


def _in_range(check: str, package: str, installed: str) -> Finding:
    tested = TESTED[package]
    found, newest = numbers(installed), numbers(tested.newest)
    if found < numbers(tested.oldest):
        return problem(
            check,
            f"{installed} is older than {tested.oldest}",
            f"pip install --upgrade '{package}>={tested.oldest}'",
        )
    if found[: len(newest)] > newest:
        return warning(check, f"{installed} is newer than what the tests were run with ({tested.newest})")
    return ok(check, installed)


def check_malicious_file(folders_with_it: tuple[str, ...]) -> Finding:
    """Judge the file that the malicious LiteLLM 1.82.8 leaves in folders of packages."""
    check = "malicious litellm"
    if not folders_with_it:
        return ok(check, "no trace of 1.82.7 or 1.82.8")
    where = ", ".join(folders_with_it)
    return problem(
        check,
        f"litellm_init.pth of LiteLLM 1.82.8 is in {where}: it runs at every start of Python",
        f"rm '{folders_with_it[0]}/litellm_init.pth'  # then replace every key this machine has held",
    )


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, up to the first that is a pre-release's."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(number) for number in found.group().split(".")) if found else ()
