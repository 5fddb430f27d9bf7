"""The two languages hold the same texts, every text that is asked for is there, and what is Korean is Korean."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import evenray
from evenray.core.errors import DataError, UsageError
from evenray.core.findings import findings_of
from evenray.core.messages import Message
from evenray.core.texts import LANGUAGES, Texts

SOURCE = Path(evenray.__file__).parent
FILES = sorted(path.name for path in (SOURCE / "locales" / "en").glob("*.json"))
# Abbreviations and forms that Korean papers write as English ones do.
SAME = re.compile(
    r"^[\W\d]*(\{\w+\}[\W\d]*)*$|^(AUROC|AUPRC|MCC|ECE|SSIM|EME\(dB\)|PSNR\(dB\)|FROC|SHA-256|Grad-CAM|AP|AP \.5:\.95)$"
    r"|^\{value\} (k?Wh|GiB)$"
)


def read(code: str, name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((SOURCE / "locales" / code / name).read_text(encoding="utf-8"))
    return found


def names(text: str) -> set[str]:
    return set(re.findall(r"\{(\w*)[^}]*\}", text))


@pytest.mark.parametrize("name", FILES)
def test_every_language_has_the_same_keys(name: str) -> None:
    # The English help of a setting stands in its declaration.
    assert set(read("en", name)) == {key for key in read("ko", name) if not key.startswith("app.setting.")}


def test_no_key_stands_in_two_files() -> None:
    keys = [key for name in FILES for key in read("en", name)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", FILES)
def test_a_translation_fills_in_the_same_values(name: str) -> None:
    english, korean = read("en", name), read("ko", name)
    assert [key for key, text in english.items() if names(text) != names(korean[key])] == []


def test_every_text_that_is_asked_for_is_there() -> None:
    sources = "".join(p.read_text(encoding="utf-8") for p in [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.j2")])
    asked = set(re.findall(r"""\bsay\(\s*["']([a-z_]+\.[a-z_.]+)["'][,)]""", sources))
    assert len(asked) > 100
    assert asked - set(Texts("en").texts) == set()


def unused(keys: set[str]) -> list[str]:
    """The keys that no source names, as they are or by their beginning and words of the sources."""
    kinds = {".py", ".j2", ".html", ".js", ".md"}
    sources = "\n".join(p.read_text(encoding="utf-8") for p in SOURCE.rglob("*") if p.suffix in kinds)
    words = set(re.findall(r"[\w.+-]*\w", sources)) | set(re.findall(r"\w+", sources))
    begun = set(re.findall(r"""["'`]([\w.]+[._])(?:\{|\$\{|["'] ~)""", sources))
    ended = {"", *re.findall(r"\}([._]\w+)[\"'`]", sources), *re.findall(r"""~ ["'](\.\w+)["']""", sources)}
    named = set(re.findall(r"""\.(?:name|word)\(\s*["'](\w+)["']""", sources)) | {"claim", "tripod"}

    def told(rest: str) -> bool:
        ways = (rest.removesuffix(end) for end in ended if rest.endswith(end))
        if any(all(piece in words or piece.isdigit() for piece in re.split(r"[. +,&]+", way)) for way in ways):
            return True
        return any(rest.startswith(start) and told(rest.removeprefix(start)) for start in begun)

    def used(key: str) -> bool:
        first, _, rest = key.partition(".")
        parent, _, last = key.rpartition(".")
        if key in words or (first in named and told(rest)) or (first == "value" and told(rest.partition(".")[2])):
            return True
        if any(key.endswith(end) and key.removesuffix(end) in words for end in ended):
            return True
        if any(key.startswith(start) and told(key.removeprefix(start)) for start in begun):
            return True
        return "." in parent and last in words and used(parent)

    return sorted(key for key in keys if not used(key))


def test_every_text_is_used() -> None:
    # The reasons of the library are found by their English form (Texts.reason).
    keys = {key for name in FILES for key in read("en", name) if not key.startswith("reason.")}
    built = {
        "scan.table_taken_for_folders",  # from two words in the middle
        "app.runs.chosen_balance", "app.runs.chosen_contrast",  # by the page Runs, from what was chosen
        "verdict.findings_alike",
    }  # fmt: skip
    assert unused(keys | {"report.of_nobody", "methods.of_nobody_at_all"}) == sorted(
        built | {"report.of_nobody", "methods.of_nobody_at_all"}
    )


def test_every_message_that_is_made_has_a_text() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    made = set(re.findall(r"""(?<!>>> found = )\bMessage\(\s*"([a-z0-9_]+\.[a-z0-9_.]+)\"""", sources))
    assert len(made) > 25
    assert made - set(Texts("en").texts) == {"theirs.odd"}  # of a docstring, where a text is missing


@pytest.mark.parametrize("name", FILES)
def test_every_korean_text_is_korean(name: str) -> None:
    plain = {key: text for key, text in read("ko", name).items() if not re.search("[가-힣]", text)}
    assert [key for key, text in plain.items() if not SAME.match(text)] == []


def test_an_unknown_language_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Known: en, ko"):
        Texts("kr")


def test_counts_variants_and_codes_choose_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    say, texts = Texts("en"), {
        "a.b": "{count} images of {sites}", "a.b.one": "an image of {sites}", "a.b.few": "few images of {sites}",
        "a.c": "see: {why}", "value.sites.y": "site Y",
    }  # fmt: skip
    monkeypatch.setattr(say, "texts", texts)
    assert say.message(Message("a.b", {"count": 2, "sites": ["x", "y"]})) == "2 images of x, site Y"
    assert say.message(Message("a.b", {"count": 1, "sites": ["x"]})) == "an image of x"
    assert say.message(Message("a.b", {"count": 3, "sites": "x", "variant": "few"})) == "few images of x"
    assert say.message(Message("a.b", {"count": 3, "sites": {"y": 2}, "variant": "theirs"})) == "3 images of site Y 2"
    assert say.message(Message("a.c", {"why": Message("a.b", {"count": 1, "sites": "z"})})) == "see: an image of z"


def test_a_sentence_of_an_earlier_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(DataError, match=r"earlier version \('all images are grey'\); 'evenray run'"):
        Message.of("all images are grey")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="'evenray audit' makes it anew"):
        findings_of(pl.DataFrame({"check": ["blank"], "title": ["Blank images"]}))


@pytest.mark.parametrize(
    ("low", "baseline", "told"),
    [
        (0.87, 0.5, "test AUROC 0.912 (0.870 to 0.950; majority-class baseline: 0.500)"),
        (float("nan"), 0.5, "test AUROC 0.912 (no interval; majority-class baseline: 0.500)"),
        (None, None, "test AUROC 0.912 (no interval; majority-class baseline: undefined)"),
    ],
)
def test_an_estimate_is_told_with_its_interval(low: float | None, baseline: float | None, told: str) -> None:
    figure = {"value": 0.912, "low": low, "high": 0.95, "baseline": baseline}
    assert Texts("en").message(Message("evaluate.test", {"metric": "AUROC", "figure": figure})) == told


def test_korean_has_one_word_for_a_case() -> None:
    folder = Path(evenray.__file__).parent / "locales" / "ko"
    assert not [file.name for file in folder.glob("*.json") if "사례" in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("code", ["en", "ko"])
def test_no_text_rounds_a_p_value_to_nothing(code: str) -> None:
    texts = {key: text for name in FILES for key, text in read(code, name).items()}
    assert [key for key, text in texts.items() if re.search(r"\{p(_\w+)?(:(?!p\})[^}]*)?\}", text)] == []
    values = {"metric": "auprc", "cells": 9, "others": 8, "reference": "none", "gain": 0.3, "low": 0.2, "high": 0.4}
    for p, told in ((5e-159, "< 0.001"), (0.0, "< 0.001"), (0.0004999, "< 0.001"), (0.0214, "= 0.021")):
        sentence = Texts(code).message(Message("choice.proven", values | {"p": p}))
        assert told in sentence
        assert "0.000" not in sentence


def test_the_baseline_is_named_for_what_it_does() -> None:
    figure = {"value": 0.4, "low": 0.3, "high": 0.5, "baseline": 0.0, "against": "boxes"}
    told = Texts("en").message(Message("evaluate.test", {"metric": "map50", "figure": figure}))
    assert told.endswith("(0.400 to 0.300; finding nothing: 0.000)".replace("0.400 to 0.300", "0.300 to 0.500"))


@pytest.mark.parametrize("code", LANGUAGES)
def test_metrics_of_boxes_are_called_as_in_the_report(code: str) -> None:
    texts = Texts(code)
    for metric in ("map50", "map", "froc"):
        assert texts.word("metric", metric) == texts(f"metric.{metric}")
        assert metric not in texts("evaluate.test", metric=texts.word("metric", metric), figure="")


@pytest.mark.parametrize("code", LANGUAGES)
def test_classes_that_are_numbers_are_no_counts(code: str) -> None:
    told = Texts(code).message(Message("scan.read", {"images": 30, "classes": {"1": 21, "2": 27}, "rejected": 0}))
    assert "1 21" not in told
    assert " 1: 21" in told


@pytest.mark.parametrize(
    ("message", "one", "many"),
    [
        (Message("annotations.empty", {"variant": "segment"}), "1 image has no mask", "2 images have no mask"),
        (Message("annotations.left_out", {"variant": "segment"}), "1 image without a mask is", "2 images without a mask are"),
        (Message("annotations.left_out", {"variant": "detect"}), "1 image without an annotation", "2 images without an annotation"),
        (Message("annotations.fields", {}), "1 mask of the field of view is", "2 masks of the field of view are"),
        (Message("scan.aside_mask", {}), "1 mask lies", "2 masks lie"),
        (Message("evaluate.not_calibrated", {"method": "a", "needed": 8}), "1 case of", "2 cases of"),
    ],
)  # fmt: skip
def test_one_is_no_plural(message: Message, one: str, many: str) -> None:
    for count, expected in ((1, one), (2, many)):
        told = Texts("en").message(replace(message, values={**message.values, "count": count}))
        assert expected in told
        assert "{" not in told
