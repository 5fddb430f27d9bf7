"""Made-up runs, written once, and pages of them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # made_run stands beside the tests

from made_run import at_prevalence, make_run, write

MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def two(made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run of two classes, to write reports into."""
    made = made_once("two", lambda folder: make_run(folder, classes=2))
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("report") / "two"))


@pytest.fixture(scope="session")
def three(made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run of three classes, to write reports into."""
    made = made_once("three", lambda folder: make_run(folder, classes=3))
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("report") / "three"))


@pytest.fixture(scope="session")
def rare(two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of two classes at a prevalence of 2 %."""
    folder = Path(shutil.copytree(two, tmp_path_factory.mktemp("report") / "rare"))
    return at_prevalence(folder, {"healthy": 0.98, "sick": 0.02})


@pytest.fixture(scope="session")
def other_shares(three: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of three classes where the commonest is the rarest."""
    folder = Path(shutil.copytree(three, tmp_path_factory.mktemp("report") / "other"))
    return at_prevalence(folder, {"normal": 0.05, "bacteria": 0.6, "virus": 0.35})


@pytest.fixture(scope="session")
def page_two(two: Path) -> Path:
    """The drawn English report of two classes."""
    return write(two)


@pytest.fixture(scope="session")
def page_three(three: Path) -> Path:
    """The drawn Korean report of three classes."""
    return write(three, language="ko")


@pytest.fixture
def copy_of_two(two: Path, tmp_path: Path) -> Path:
    """A run of two classes to take things away from."""
    return Path(shutil.copytree(two, tmp_path / "run"))
