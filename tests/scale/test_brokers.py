"""Kafka is Apache's where there is Java, and kfake where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.scale.servers import kafka
from tests.scale.servers.kafka import Kfake, broker
from tools.backends import build
from tools.backends.build import Program


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
def test_without_java(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without Java, `make backends` leaves Kafka out and says so, and the chain gets the broker in memory."""
    (tmp_path / "go").symlink_to(shutil.which("go") or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "CACHE", tmp_path)
    monkeypatch.setattr(build, "PROGRAMS", (Program("kafka", "kafka"),))
    monkeypatch.setattr(kafka, "CACHE", tmp_path)

    assert 0 == build.main([])
    assert "left out: kafka" in capsys.readouterr().out
    assert isinstance(broker(tmp_path), Kfake)
