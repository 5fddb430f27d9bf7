"""The verb table7: what it prints and leaves, in both languages, and how it fails."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from evenray.core.run import Run
from evenray.reporting import report_page

from .conftest import Cli

WORDS = ("--systems", "krizhevsky-1, overfeat-1", "--epochs", "1", "--device", "cpu")


@pytest.fixture
def cli(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """cli("data", ...) runs `evenray table7`, with nets as narrow as they come."""
    monkeypatch.setattr("evenray.evidence.table7.budget.WIDTHS", (0.05,) * 4)
    monkeypatch.setenv("COLUMNS", "300")
    return partial(cli, "table7")


@pytest.fixture
def copied(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "copied"))


def test_the_table_of_a_run_is_printed_and_left_in_four_forms(cli: Cli, copied: Path) -> None:
    recipe = (copied / "recipe.json").read_bytes()
    code, out, err = cli(copied, *WORDS)
    assert code == 0, err
    for text in (
        "OverFeat (Sermanet et al., 2014)",
        "Krizhevsky et al. (2012)",
        "5 crops",
        "Majority-class baseline",
        "35.7 / 14.2",
    ):
        assert text in out
    assert (
        "nets to train: 2, for rows of the table: 2; 28 pixels, 0.05 times the papers' channels, epochs: 1, batch size 16"
        in err
    )
    row = pl.read_parquet(copied / "table7.parquet").row(0, named=True)
    assert pl.read_csv(copied / "table7.csv").height == 2
    figure = f"{100 * row['test_top1']:.1f} ({100 * row['test_top1_low']:.1f} to {100 * row['test_top1_high']:.1f})"
    assert figure in (copied / "table7.md").read_text(encoding="utf-8")
    page = (copied / "table7.html").read_text(encoding="utf-8")
    assert f"{100 * row['test_top1']:.1f} %" in page
    assert (copied / "recipe.json").read_bytes() == recipe

    code, out, err = cli(copied, *WORDS, "--lang", "ko", "--json")
    assert err.count("변경 없음") == 4
    found = json.loads(out)
    assert [each["system"] for each in found["table"]] == ["overfeat-1", "krizhevsky-1"]
    page = (copied / "table7.html").read_text(encoding="utf-8")
    assert "다수 클래스 기준선" in page
    assert 'lang="en"' not in page  # no sentence is left in English
    assert "table7" in report_page(Run(copied))


def test_a_narrow_terminal_gets_the_table_part_by_part(cli: Cli, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = cli(copied, *WORDS)
    assert out.count("┏") == 3
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Give images"),
        (("RUN", "--systems", "vgg-3"), "no system named 'vgg-3'"),
        (("RUN", "--network", "vgg16"), "--network does nothing with table7 DATA"),
        (("RUN", "--contrast", "none, equalize"), "give one --contrast"),
        (("--imagenet", "RUN"), "name both, as with --network vgg16 --pretrained torchvision"),
        (
            ("--imagenet", "RUN", "--network", "vgg16", "--network", "vgg11", "--pretrained", "torchvision"),
            "evaluates one network, not vgg16 and vgg11",
        ),
        (("--imagenet", "RUN", "--effort", "quick"), "--effort does nothing with --imagenet"),
        (("RUN", "--imagenet", "RUN"), "--imagenet takes no data"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    cli: Cli, copied: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = cli(*(copied if word == "RUN" else word for word in words))
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
