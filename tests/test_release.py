"""What is released: a wheel and a source archive, whole, the same bytes each time, and working where there are no sources."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("src", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")


def files(*names: str) -> list[str]:
    """What a clean checkout holds of these files and folders."""
    found = [p for name in names for p in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))]
    kept = [p for p in found if p.is_file() and "__pycache__" not in p.parts and ".egg-info" not in str(p)]
    return sorted(p.relative_to(ROOT).as_posix() for p in kept)


def built(folder: Path, *what: str) -> Path:
    """A wheel and a source archive of a copy of what a clean checkout holds; `what` is --wheel for the wheel alone."""
    source, out = folder / "source", folder / "dist"
    for name in files(*KEPT):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", *what, "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"})
    return out


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("first"))


def wheel_of(folder: Path) -> Path:
    (found,) = folder.glob("*.whl")
    return found


def test_two_builds_are_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    assert wheel_of(built(tmp_path, "--wheel")).read_bytes() == wheel_of(dist).read_bytes()


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(dist: Path) -> None:
    own = {name.removeprefix("src/") for name in files("src")}
    with zipfile.ZipFile(wheel_of(dist)) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == own


def test_the_source_archive_builds_too(dist: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "src/evenray/py.typed"} <= names


def test_the_installed_wheel_works_without_the_sources(dist: Path, tmp_path: Path) -> None:
    """In an environment of its own, which has our dependencies and not our sources, at another place."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    (site,) = (tmp_path / "env").glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel_of(dist)) as archive:
        archive.extractall(site)
    (site / "dependencies.pth").write_text("\n".join(p for p in sys.path if p.endswith("-packages")) + "\n")
    code = (
        "import sys, evenray; assert '/env/' in evenray.__file__, evenray.__file__;"
        "from evenray.cli import main; sys.argv = ['evenray', *sys.argv[1:]]; sys.exit(main())"
    )

    def evenray(*options: str) -> str:
        command = [str(tmp_path / "env" / "bin" / "python"), "-c", code, *options]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert evenray("--version").startswith("evenray 0.")
    assert "[OPTIONS]" in evenray("run", "--help")
    evenray("weights", "list", "--lang", "ko")
