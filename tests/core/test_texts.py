"""The two languages hold the same texts, every text that is asked for is there, and what is Korean is Korean."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import evenray
from evenray.core.errors import UsageError
from evenray.core.messages import Message
from evenray.core.texts import Texts

SOURCE = Path(evenray.__file__).parent
FILES = sorted(path.name for path in (SOURCE / "locales" / "en").glob("*.json"))
# Abbreviations and forms that Korean papers write as English ones do.
SAME = re.compile(r"^[\W\d]*(\{\w+\}[\W\d]*)*$|^(AUROC|AUPRC|MCC|ECE|SSIM|EME\(dB\)|PSNR\(dB\))$")


def read(code: str, name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((SOURCE / "locales" / code / name).read_text(encoding="utf-8"))
    return found


def names(text: str) -> set[str]:
    return set(re.findall(r"\{(\w*)[^}]*\}", text))


@pytest.mark.parametrize("name", FILES)
def test_every_language_has_the_same_keys(name: str) -> None:
    assert set(read("en", name)) == set(read("ko", name))


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


@pytest.mark.parametrize("name", FILES)
def test_every_korean_text_is_korean(name: str) -> None:
    plain = {key: text for key, text in read("ko", name).items() if not re.search("[가-힣]", text)}
    assert [key for key, text in plain.items() if not SAME.match(text)] == []


def test_an_unknown_language_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Known: en, ko"):
        Texts("kr")


def test_one_is_told_otherwise_than_many(monkeypatch: pytest.MonkeyPatch) -> None:
    say = Texts("en")
    monkeypatch.setattr(
        say, "texts", {"a.b": "{count} images of {sites}", "a.b.one": "an image of {sites}", "a.c": "see: {why}"}
    )
    assert say.message(Message("a.b", {"count": 2, "sites": ["x", "y"]})) == "2 images of x, y"
    assert say.message(Message("a.b", {"count": 1, "sites": ["x"]})) == "an image of x"
    assert say.message(Message("a.c", {"why": Message("a.b", {"count": 1, "sites": "z"})})) == "see: an image of z"
