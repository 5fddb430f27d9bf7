"""Made-up runs, written once, and pages of them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # made_run stands beside the tests

from made_run import make_run

from evenray.report import write


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run of two classes."""
    return make_run(tmp_path_factory.mktemp("report") / "two", classes=2)


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run of three classes."""
    return make_run(tmp_path_factory.mktemp("report") / "three", classes=3)


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
