"""`litespan dashboards export`, from the wheel that a user installs and from a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(240)

ROOT = Path(__file__).parents[2]
PROGRAM = "from litespan.cli import main; main(prog_name='litespan')"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as a package index gets it: from the sdist, so that the sdist has to be whole."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "uv",
            "build",
            "--no-build-isolation",
            "--python",
            sys.executable,
            "--out-dir",
            str(out),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
        timeout=200,
    )
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel, which is what an installer does with one of pure Python."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def export(*arguments: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command; ``path`` is where litespan is installed, if not where these tests run."""
    env = {**os.environ, **({} if path is None else {"PYTHONPATH": str(path)})}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "dashboards", "export", *arguments],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def tree(folder: Path) -> Mapping[str, bytes]:
    """Return all files below a folder with their contents."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def expected() -> Mapping[str, bytes]:
    """Return what stands in the checkout."""
    paths = [
        ROOT / "docker-compose.yml",
        *(ROOT / "dashboards").glob("*.json"),
        *(path for path in (ROOT / "deploy").rglob("*") if path.is_file()),
    ]
    return {str(path.relative_to(ROOT)): path.read_bytes() for path in paths}


def test_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The installed wheel writes the files of the checkout, each byte of them, and says how to go on."""
    done = export("new/monitoring", cwd=tmp_path, path=installed)

    assert (0, "") == (done.returncode, done.stderr)
    assert expected() == tree(tmp_path / "new" / "monitoring")
    assert done.stdout.startswith(f"{len(expected())} files are in new/monitoring.")
    assert "docker compose -f new/monitoring/docker-compose.yml up -d" in done.stdout


def test_a_folder_with_a_space_can_be_pasted(tmp_path: Path) -> None:
    """The line that starts the servers is one for a shell, whatever the folder is called."""
    done = export("my monitoring", cwd=tmp_path)

    assert "docker compose -f 'my monitoring/docker-compose.yml' up -d" in done.stdout


def test_from_a_checkout(tmp_path: Path) -> None:
    """An editable install writes what stands in the checkout, without the generator of the dashboards."""
    done = export(".", cwd=tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert expected() == tree(tmp_path)


def test_without_the_files(installed: Path, tmp_path: Path) -> None:
    """An installation that lacks the files says so."""
    (tmp_path / "site").mkdir()
    os.symlink(ROOT / "src" / "litespan", tmp_path / "site" / "litespan")
    done = export("out", cwd=tmp_path, path=tmp_path / "site")

    assert 1 == done.returncode
    assert "installed without the files of the stack" in done.stderr
    assert not (tmp_path / "out").exists()


def test_files_that_are_there(tmp_path: Path) -> None:
    """A file that differs is kept and named, and nothing is written; `--force` replaces it."""
    own = tmp_path / "docker-compose.yml"
    own.write_text("services: {}\n", encoding="utf-8")
    refused = export(".", cwd=tmp_path)

    assert (1, "") == (refused.returncode, refused.stdout)
    assert "./docker-compose.yml\nError: 1 file would be replaced." in refused.stderr
    assert {"docker-compose.yml": b"services: {}\n"} == tree(tmp_path)
    assert 0 == export(".", "--force", cwd=tmp_path).returncode
    assert expected() == tree(tmp_path)
    assert 0 == export(".", cwd=tmp_path).returncode


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where a folder is needed is an error without a traceback."""
    (tmp_path / "taken").touch()
    done = export("taken/folder", cwd=tmp_path)

    assert 1 == done.returncode
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
