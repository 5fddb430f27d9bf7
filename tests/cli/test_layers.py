"""explain --layers: the table, the page in both languages, and how it fails."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from .conftest import Cli


@pytest.fixture
def cli(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """cli(...) runs `evenray explain ...` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return partial(cli, "explain")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    (tmp_path / "films").mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"films/{number}.png"), rng.integers(0, 255, (40, 50), dtype=np.uint8))
    (tmp_path / "films/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path / "films"


def test_a_network_by_its_spec_on_a_folder_of_images(cli: Cli, films: Path) -> None:
    code, out, err = cli("--layers", "vgg11(width=0.05)", "--image", films, "--size", 32)
    assert code == 0, err
    assert out.splitlines()[1].split()[:2] == ["features.0", "Conv2d"]
    assert "left out" in err
    assert "broken.png" in err
    page = Path("layers.html").read_text(encoding="utf-8")
    for section in ("anatomy", "convolution", "filters", "maps", "patches"):
        assert f'<section id="{section}"' in page
    assert "the first image given" in page
    assert "0.png" not in page  # it may be the name of a patient
    assert page.count('<svg class="drawing"') == 3  # the network, and two convolutions
    assert 'src="http' not in page

    code, out, _ = cli("--layers", "vgg11(width=0.05)", "--size", 32, "--lang", "ko", "-o", "ko.html", "--json")
    page = Path("ko.html").read_text(encoding="utf-8")
    assert "수용 영역" in page
    assert "maps" not in json.loads(out)
    assert '<section id="maps"' not in page
    assert json.loads(out)["rows"][0]["field"] == 3


def test_the_network_of_a_run_on_its_own_images_tells_no_path(cli: Cli, finished_run: Path) -> None:
    code, _, err = cli("--layers", finished_run, "-o", "run.html")
    assert code == 0, err
    page = Path("run.html").read_text(encoding="utf-8")
    assert "a training image of the run" in page
    assert "tiny.npz" not in page
    assert '<section id="patches"' in page


def test_all_prints_the_counts_of_every_network(cli: Cli) -> None:
    code, out, _ = cli("--layers", "all")
    assert code == 0
    assert "| vgg16 | 224 | 138,357,544 | 15.470 G | 138,357,544 | 15.470 G |" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "or --layers NETWORK"),
        (("--layers", "vgg17"), 2, "no network named 'vgg17'"),
        (("--layers", "vgg11", "--image", "nowhere.png"), 1, "There is no 'nowhere.png'"),
        (("--layers", "vgg11", "--epochs", 3), 2, "--epochs does nothing with --layers"),
        (("somewhere", "--layers", "vgg11"), 2, "--layers takes no data beside it"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    cli: Cli, words: tuple[object, ...], code: int, said: str
) -> None:
    found, out, err = cli(*words)
    assert (found, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1
