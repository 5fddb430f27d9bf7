"""In every package that writes pages the two languages hold the same texts, and what is Korean is Korean."""

from __future__ import annotations

import importlib
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from evenray.core.errors import UsageError
from evenray.core.texts import LANGUAGES, Texts

PACKAGES = ("evenray.reporting", "evenray.images.contrast")
# Abbreviations and forms that Korean papers write as English ones do.
SAME = re.compile(r"^[\W\d]*(\{\w+\}[\W\d]*)*$|^(AUROC|AUPRC|MCC|ECE|SSIM|EME\(dB\)|PSNR\(dB\))$")


def read(package: str, name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((resources.files(package) / "locales" / name).read_text(encoding="utf-8"))
    return found


def names(text: str) -> set[str]:
    return set(re.findall(r"\{(\w*)\}", text))


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def texts(package: str) -> dict[str, dict[str, str]]:
    return {code: read(package, f"{code}.json") for code in LANGUAGES}


def test_every_language_has_the_same_keys(texts: dict[str, dict[str, str]]) -> None:
    assert set(texts["en"]) == set(texts["ko"])


def test_a_translation_fills_in_the_same_values(texts: dict[str, dict[str, str]]) -> None:
    assert [key for key, text in texts["en"].items() if names(text) != names(texts["ko"][key])] == []


def test_every_text_that_is_asked_for_is_there(package: str, texts: dict[str, dict[str, str]]) -> None:
    folder = Path(str(importlib.import_module(package).__file__)).parent
    sources = "".join(p.read_text(encoding="utf-8") for p in [*folder.rglob("*.py"), *folder.rglob("*.j2")])
    asked = set(re.findall(r"""\bsay\(\s*["']([a-z_]+\.[a-z_.]+)["'][,)]""", sources))
    assert len(asked) > (100 if package == "evenray.reporting" else 5)
    assert asked - set(texts["en"]) == set()


def test_every_korean_text_is_korean(texts: dict[str, dict[str, str]]) -> None:
    plain = {key: text for key, text in texts["ko"].items() if not re.search("[가-힣]", text)}
    assert [key for key, text in plain.items() if not SAME.match(text)] == []


def test_korean_sentences_fill_in_what_their_pattern_finds(package: str) -> None:
    sentences = read(package, "sentences.ko.json")
    assert [english for english, korean in sentences.items() if names(english) != names(korean)] == []


def test_an_unknown_language_names_the_known_ones(package: str) -> None:
    with pytest.raises(UsageError, match="Known: en, ko"):
        Texts("kr", package)
