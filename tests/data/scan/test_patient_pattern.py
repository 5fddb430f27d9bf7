"""The pattern of --patient."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

import pytest

from evenray.core.errors import UsageError
from evenray.data.scan import patient_pattern
from evenray.data.scan.patient_pattern import compiled, patient_of


def test_one_that_backtracks_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_pattern, "SECONDS", 0.05)
    with pytest.raises(
        UsageError, match=re.escape("The patient pattern '(a|aa)+$' takes more than 0.05 s in the path 'well/aaa")
    ):
        patient_of(compiled("(a|aa)+$"), "well/" + "a" * 60 + "!.png")


@pytest.mark.parametrize(
    "pattern", [r"(person\d+)", r"(?<=/)(\d+)_", r"(train|test)/.*?(p\d)", r"(\w+)-\1", "^[^/]+", r"[가-힣]+"]
)
def test_the_others_find_what_python_finds(pattern: str) -> None:
    for path in ("train/person1_2.png", "a/12_x.png", "test/y/p3.png", "u/kim-kim.png", "박준호/1.png"):
        found = re.search(pattern, path)
        joined = None if found is None else "/".join(filter(None, found.groups())) or found.group()
        assert patient_of(compiled(pattern), path) == joined


def test_what_is_no_pattern_is_said() -> None:
    with pytest.raises(UsageError, match=r"is no regular expression: .*; try"):
        compiled("(person")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_letters_that_are_taken_apart_are_the_same_letters(form: Literal["NFC", "NFD"]) -> None:
    path, pattern = unicodedata.normalize(form, "정상/환자07_1.png"), unicodedata.normalize(form, r"(환자\d+)")
    assert patient_of(compiled(r"(환자\d+)"), path) == "환자07"
    assert patient_of(compiled(pattern), "정상/환자07_1.png") == "환자07"
