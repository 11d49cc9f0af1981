"""Builds the servers that the integration tests start, from Go modules whose checksums are committed.

Apache Kafka is the exception: its jars come from Maven, and run on Java 17. Where either is missing, Kafka is
left out, and the tests take kfake in its place.

The binaries go to ``$LITESPAN_BACKENDS/bin``, or to ``~/.cache/litespan/backends/bin`` if that is not set.
One that was built from its module as it is now is not built again.

    python -m tools.backends.build          build what is missing or old
    python -m tools.backends.build --lock   write the Collector's go.mod and go.sum anew from builder.yaml
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CACHE: Final = Path(os.environ.get("LITESPAN_BACKENDS") or Path.home() / ".cache" / "litespan" / "backends")
LOCKS: Final = ("go.mod", "go.sum")

_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


@dataclass(frozen=True)
class Program:
    """A Go program: its binary's name, its module's folder here, its package, its version for the linker.

    One without a package is a script in its folder here, beside the pom.xml of the jars that it runs.
    """

    name: str
    module: str
    package: str = ""
    version: str = ""

    @property
    def binary(self) -> Path:
        """Where the built program lies."""
        return CACHE / "bin" / self.name

    @property
    def stamp(self) -> Path:
        """The file that holds the fingerprint of what the binary was built from."""
        return CACHE / "stamps" / self.name

    def fingerprint(self) -> str:
        """Return a hash of everything that decides what is built."""
        digest = hashlib.sha256(repr(self).encode())
        for path in sorted((HERE / self.module).rglob("*")):
            if path.is_file():
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def is_current(self) -> bool:
        """Say whether the binary is there and was built from the module as it is now."""
        return self.binary.exists() and self.stamp.exists() and self.stamp.read_text() == self.fingerprint()


_PROMETHEUS: Final = "github.com/prometheus/common/version.Version=3.14.0"
# promtool comes first: it is what most tests need. Then what takes long.
PROGRAMS: Final = (
    Program("promtool", "prometheus", "github.com/prometheus/prometheus/cmd/promtool", _PROMETHEUS),
    Program("prometheus", "prometheus", "github.com/prometheus/prometheus/cmd/prometheus", _PROMETHEUS),
    Program("otelcol", "otelcol", "."),
    Program(
        "jaeger",
        "jaeger",
        "github.com/jaegertracing/jaeger/cmd/jaeger",
        "github.com/jaegertracing/jaeger/internal/version.latestVersion=v2.13.0",
    ),
    Program(
        "docker-compose",
        "compose",
        "github.com/docker/compose/v2/cmd",
        "github.com/docker/compose/v2/internal.Version=v2.40.3",
    ),
    Program("kustomize", "kustomize", "sigs.k8s.io/kustomize/kustomize/v5"),
    Program("kfake", "kfake", "."),
    Program("kafka", "kafka"),
)


def main(arguments: list[str]) -> int:
    """Build what is missing or old; return the exit code."""
    if shutil.which("go") is None:
        print(
            "There is no Go here (https://go.dev/dl, 1.26 or newer), so the tests' servers cannot be built."
        )
        print("Tests that need a real Jaeger, Prometheus or Collector will be skipped.")
        return 1
    try:
        _lock() if "--lock" in arguments else _build_old_ones()
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd))} failed with exit code {error.returncode}.")
        return 1
    return 0


def _build_old_ones() -> None:
    buildable = [program for program in PROGRAMS if program.package or _has_java()]
    if left_out := [program.name for program in PROGRAMS if program not in buildable]:
        print(f"There is no Java with Maven here, so this is left out: {', '.join(left_out)}.")
    old = [program for program in buildable if not program.is_current()]
    for program in old:
        print(f"Building {program.name} (the first time this takes minutes)", flush=True)
        begin = time.monotonic()
        _build(program)
        print(f"  {program.binary} in {time.monotonic() - begin:.0f} s", flush=True)
    if not old:
        print(f"All is built: {', '.join(program.name for program in buildable)} in {CACHE / 'bin'}")


def _build(program: Program) -> None:
    fingerprint = program.fingerprint()
    program.binary.parent.mkdir(parents=True, exist_ok=True)
    program.stamp.parent.mkdir(parents=True, exist_ok=True)
    # Made beside its place and then moved: a test that starts the old one meanwhile never sees half a file.
    unfinished = program.binary.with_name(f".{program.name}.{os.getpid()}")
    if program.package:
        folder = _collector_sources() if program.name == "otelcol" else HERE / program.module
        _go(folder, "build", *_flags(program), "-o", str(unfinished), program.package)
    else:
        _copy_jars(program)
        shutil.copy(HERE / program.module / program.name, unfinished)
    unfinished.replace(program.binary)
    program.stamp.write_text(fingerprint)


def _has_java() -> bool:
    return all(map(shutil.which, ("java", "mvn")))


def _copy_jars(program: Program) -> None:
    """Put the jars that the program's pom.xml names, and those that they need, beside the binaries."""
    unfinished = CACHE / f".{program.name}.{os.getpid()}"
    options = ["--batch-mode", "--quiet", "--strict-checksums", f"--file={HERE / program.module}"]
    maven = shutil.which("mvn") or "mvn"
    subprocess.run([maven, *options, _COPY, f"-DoutputDirectory={unfinished}"], check=True)
    shutil.rmtree(CACHE / program.name, ignore_errors=True)
    unfinished.replace(CACHE / program.name)


def _flags(program: Program) -> tuple[str, ...]:
    version = f" -X {program.version}" if program.version else ""
    return ("-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags=-s -w{version}")


def _collector_sources(*, with_locks: bool = True) -> Path:
    """Let the Collector's own builder write the sources; the committed locks say which modules they use."""
    sources = CACHE / "otelcol-sources"
    sources.mkdir(parents=True, exist_ok=True)
    options = ["--config", str(HERE / "otelcol" / "builder.yaml"), "--skip-compilation"]
    if with_locks:
        options.append("--skip-get-modules")
    # The builder takes its settings from the environment too, under their names with dots.
    _go(HERE / "otelcol" / "builder", "tool", "builder", *options, **{"dist.output_path": str(sources)})
    if with_locks:
        for name in LOCKS:
            shutil.copyfile(HERE / "otelcol" / name, sources / name)
    return sources


def _lock() -> None:
    sources = _collector_sources(with_locks=False)
    for name in LOCKS:
        shutil.copyfile(sources / name, HERE / "otelcol" / name)


def _go(folder: Path, *arguments: str, **environment: str) -> None:
    go = shutil.which("go") or "go"
    subprocess.run([go, *arguments], cwd=folder, env=os.environ | environment, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
