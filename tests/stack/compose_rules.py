"""What docker-compose.yml must hold beyond being valid: functions from its content to what is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

Service = Mapping[str, Any]

ONE_SHOT: Final = {"volumes-init", "demo"}
WITHOUT_SHELL: Final = {"otel-collector", "jaeger"}

_EXACT: Final = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+(-[\w.]+)?")
_LOOPBACK: Final = re.compile(r"127\.0\.0\.1:\d+:\d+")


def faults(compose: Mapping[str, Any], root: Path) -> list[str]:
    """Return what is wrong, each as the service's name and a word; ``root`` is where the file stands."""
    return [
        f"{name}: {fault}"
        for name, service in compose["services"].items()
        for check in (_versions, _ports, _limits, _health, _rights)
        for fault in check(name, service)
    ] + [*_files(compose["services"], root), *_volumes(compose)]


def _versions(name: str, service: Service) -> Iterator[str]:
    build = service.get("build", {})
    images = [service["image"]] if "image" in service else list(build.get("args", {}).values())
    if not images or not all(_EXACT.fullmatch(image) for image in images):
        yield "version not exact"


def _ports(name: str, service: Service) -> Iterator[str]:
    if not all(_LOOPBACK.fullmatch(port) for port in service.get("ports", ())):
        yield "port beyond this machine"
    if service.get("network_mode") == "host":
        yield "host network"


def _limits(name: str, service: Service) -> Iterator[str]:
    if "mem_limit" not in service:
        yield "memory without limit"
    if service.get("restart") != ("no" if name in ONE_SHOT else "unless-stopped"):
        yield "wrong restart policy"
    if "max-size" not in service.get("logging", {}).get("options", {}):
        yield "log without limit"


def _health(name: str, service: Service) -> Iterator[str]:
    if ("healthcheck" in service) != (name not in ONE_SHOT | WITHOUT_SHELL):
        yield "health check missing, or one that cannot run"
    waits = service.get("depends_on", {})
    if any(waits.get(other, {}).get("condition") == "service_healthy" for other in WITHOUT_SHELL):
        yield "waits for a health check that does not exist"


def _rights(name: str, service: Service) -> Iterator[str]:
    if service.get("cap_drop") != ["ALL"] or "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "more rights than needed"
    environment = service.get("environment", {})
    if environment.get("GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer") != "Viewer":
        yield "anonymous may write"
    if name == "grafana" and environment.get("GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION") != "true":
        yield "well-known password"


def _files(services: Mapping[str, Service], root: Path) -> Iterator[str]:
    """Mounted files exist, are read-only, and hold the configuration that a command names."""
    for name, service in services.items():
        mounts = dict(_mounts(service))
        for source, target in mounts.items():
            if not (root / source).exists():
                yield f"{name}: {source} does not exist"
            if not target.endswith(":ro"):
                yield f"{name}: {source} can be written"
        for path in re.findall(r"--config(?:\.file)?=(\S+)", " ".join(service.get("command", ()))):
            if not any((root / place).exists() for place in _places(path, mounts)):
                yield f"{name}: {path} is not mounted"
        dockerfile = service.get("build", {}).get("dockerfile")
        if dockerfile and not (root / dockerfile).exists():
            yield f"{name}: {dockerfile} does not exist"


def _mounts(service: Service) -> Iterator[tuple[str, str]]:
    for volume in service.get("volumes", ()):
        source, _, target = volume.partition(":")
        if source.startswith("."):
            yield source, target


def _places(path: str, mounts: Mapping[str, str]) -> Iterator[str]:
    """Return where a path of the container lies on the outside."""
    for source, target in mounts.items():
        folder = target.removesuffix(":ro")
        if path.startswith(f"{folder}/"):
            yield source + path.removeprefix(folder)


def _volumes(compose: Mapping[str, Any]) -> Iterator[str]:
    """Each named volume is declared and used, and those of user 10001 get their owner first."""
    used = {
        name: {volume.partition(":")[0] for volume in service.get("volumes", ())}
        for name, service in compose["services"].items()
    }
    named = {volume for volumes in used.values() for volume in volumes if not volume.startswith(".")}
    if named != set(compose["volumes"]):
        yield f"volumes: {sorted(named ^ set(compose['volumes']))}"
    for name in WITHOUT_SHELL:
        waits = compose["services"][name]["depends_on"].get("volumes-init", {})
        if waits.get("condition") != "service_completed_successfully":
            yield f"{name}: does not wait for the owner of its volume"
        if not used[name] & used["volumes-init"]:
            yield f"{name}: has no volume that was prepared"
