"""The methods of a paper: what the run did, in both languages, and the works that it names and no others."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from evenray.core.artefacts.model import ModelRecord
from evenray.reporting.answers.model import network, preparation
from evenray.reporting.bibliography import _entries, bibtex, named
from evenray.reporting.language import Language
from evenray.reporting.sections import methods
from evenray.reporting.view import RunView


def told(folder: Path, language: str = "en") -> methods.Shown:
    found = methods.context(RunView(folder), Language(language))
    assert found is not None
    return found


def test_the_language_of_the_page_comes_first(finished_run: Path) -> None:
    assert [code for code, _ in told(finished_run).paragraphs] == ["en", "ko"]
    assert [code for code, _ in told(finished_run, "ko").paragraphs] == ["ko", "en"]


def test_the_paragraph_is_of_this_run(finished_run: Path) -> None:
    english, korean = (text for _, text in told(finished_run).paragraphs)
    for text in (english, korean):
        assert "28 × 28" in text
        assert "vgg11_bn(width=0.05)" in text
        assert not re.search(r"\{\w+\}|None|nan", text)
    assert re.search("[가-힣]", korean)
    assert not re.search("[가-힣]", english)
    assert "(이)" not in korean
    assert "을(를)" not in korean


def test_bibtex_has_what_the_paragraph_names_and_nothing_else(finished_run: Path) -> None:
    found = told(finished_run)
    named_works = {named(key)[1:-1] for key in re.findall(r"@\w+\{(\w+),", found.bibtex)}
    texts = " ".join(text for _, text in found.paragraphs)
    assert named_works
    assert all(work in texts for work in named_works)
    cited = {work for group in re.findall(r"\(([^()]*\d{4})\)", texts) for work in group.split("; ")}
    assert cited == named_works


def test_another_method_names_other_works(finished_run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "run"))
    before = told(folder).bibtex
    record = ModelRecord.read(folder)
    record.model_copy(update={"contrast": "clahe(clip=2)", "balance": "focal"}).write(folder)
    after = told(folder).bibtex
    assert "zuiderveld1994clahe" not in before
    assert "lin2017focal" not in before
    assert "zuiderveld1994clahe" in after
    assert "lin2017focal" in after
    assert "saerens2002prior" in after


@pytest.mark.parametrize("key", sorted(_entries()))
def test_entries_are_bibtex(key: str) -> None:
    text = bibtex([key], "1.2")
    assert re.match(r"@(article|inproceedings|incollection|software|misc)\{\w+,\n", text)
    assert text.count("{") == text.count("}")
    assert {"author", "title", "year"} <= set(re.findall(r"^  (\w+) = ", text, re.MULTILINE))


def test_every_work_that_may_be_named_is_there() -> None:
    tables = (methods.NETWORKS, methods.CONTRASTS, methods.REMEDIES, methods.CALIBRATIONS)
    assert {key for table in tables for key in table.values()} <= set(_entries())


def test_sizes_of_windows_are_none_of_images(finished_run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "run"))
    record = ModelRecord.read(folder)
    record.model_copy(update={"image_side": 160}).write(folder)
    for language, scaled in (("en", "scaled to 160 × 160"), ("ko", "160 × 160화소로 조정")):
        text = told(folder, language).paragraphs[0][1]
        assert scaled in text
        assert text.count("28 × 28") == 1
        assert re.search("overlap by half" if language == "en" else "절반씩 겹치게", text)
        view, say = RunView(folder), Language(language)
        _, values = preparation(view, say) or ("", {})
        assert values["side"] == 160
        _, values = network(view, say) or ("", {})
        assert re.search(r"28 × 28.*160 × 160|160 × 160.*28 × 28", str(values["networks"]))
