"""`make backends` builds what is missing or old, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.backends import build
from tools.backends.build import Program

HELLO = 'package main\n\nvar version = "none"\n\nfunc main() { print(version) }\n'


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Have one small program in place of the servers, and an empty cache."""
    module = tmp_path / "modules" / "hello"
    module.mkdir(parents=True)
    (module / "go.mod").write_text("module hello\n\ngo 1.21\n")
    (module / "main.go").write_text(HELLO)
    program = Program("hello", "hello", ".", "main.version=1.2.3")
    monkeypatch.setattr(build, "HERE", tmp_path / "modules")
    monkeypatch.setattr(build, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(build, "PROGRAMS", (program,))
    return program


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
def test_builds_what_is_old(hello: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """A program is built once, with its version; again only when its module has changed."""
    assert 0 == build.main([])
    assert "Building hello" in capsys.readouterr().out
    assert "1.2.3" == subprocess.run([hello.binary], capture_output=True, text=True, check=True).stderr

    assert 0 == build.main([])
    assert "All is built: hello" in capsys.readouterr().out

    (build.HERE / "hello" / "main.go").write_text(HELLO.replace("print(version)", "print(version, 1)"))
    assert 0 == build.main([])
    assert "Building hello" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
def test_a_failed_build_is_no_build(hello: Program, capfd: pytest.CaptureFixture[str]) -> None:
    """When Go refuses, the exit code is 1, the message names the command, and no binary is left."""
    (build.HERE / "hello" / "main.go").write_text("package main\n\nfunc main() { missing() }\n")

    assert 1 == build.main([])
    assert "go build" in capfd.readouterr().out
    assert not hello.binary.exists()


def test_without_go(
    hello: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a machine without Go the exit code is 1, and the message says what will be skipped."""
    monkeypatch.setenv("PATH", "")

    assert 1 == build.main([])
    assert "skipped" in capsys.readouterr().out
