"""Kubernetes manifests as kustomize builds them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.backends import binary

SCALE: Final = Path(__file__).parents[2] / "deploy" / "scale"
WORKLOADS: Final = ("DaemonSet", "Deployment", "StatefulSet")

Manifest = dict[str, Any]


def build(folder: Path) -> Sequence[Manifest]:
    """Build a kustomization without any flag; return its objects.

    Raises:
        AssertionError: with kustomize's words, if it refuses.
    """
    command = [binary("kustomize"), "build", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == done.returncode, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> Sequence[Manifest]:
    """Return the objects of these kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def named(manifests: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """Return the one object of a kind with this name; kustomize puts a hash behind those that it makes."""
    (found,) = [
        manifest for manifest in of_kind(manifests, kind) if manifest["metadata"]["name"].startswith(name)
    ]
    return found


def pods(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield the name of each workload and what its pods are made from."""
    for workload in of_kind(manifests, *WORKLOADS):
        yield workload["metadata"]["name"], workload["spec"]["template"]


def containers(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield the name of each workload and each of its containers, those of the start left out."""
    for name, pod in pods(manifests):
        for container in pod["spec"]["containers"]:
            yield name, container
