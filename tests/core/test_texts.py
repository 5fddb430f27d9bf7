"""The two languages hold the same texts, every text that is asked for is there, and what is Korean is Korean."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

import evenray
from evenray.core.errors import DataError, UsageError
from evenray.core.findings import findings_of
from evenray.core.messages import Message
from evenray.core.texts import Texts

SOURCE = Path(evenray.__file__).parent
FILES = sorted(path.name for path in (SOURCE / "locales" / "en").glob("*.json"))
# Abbreviations and forms that Korean papers write as English ones do.
SAME = re.compile(
    r"^[\W\d]*(\{\w+\}[\W\d]*)*$|^(AUROC|AUPRC|MCC|ECE|SSIM|EME\(dB\)|PSNR\(dB\)|FROC|SHA-256|AP|AP \.5:\.95)$"
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
