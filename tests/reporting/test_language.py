"""Particles and numbers follow what they are given, and settings have names in each language."""

from __future__ import annotations

import re

import pytest

from evenray.core.findings import Finding
from evenray.core.recipe import CHOOSABLE, Recipe
from evenray.reporting.language import LANGUAGES, Language

TEXTS = Language("ko").texts


@pytest.mark.parametrize(("seconds", "text"), [(0.24, "0.2 s"), (59.6, "60 s"), (61, "1 min 1 s"), (7260, "2 h 1 min")])
def test_durations(seconds: float, text: str) -> None:
    assert Language("en").duration(seconds) == text


def test_numbers_that_are_none_are_a_dash() -> None:
    say = Language("en")
    assert {say.number(float("nan")), say.percent(None), say.signed(float("inf")), say.brief(None)} == {"–"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("정상 조직", "‘정상 조직’이라고"), ("암", "‘암’이라고"), ("폐결절 의심 소견 아니오", "오’라고"), ("간세포", "‘간세포’라고"),
        ("NORMAL", "‘NORMAL’이라고"), ("PNEUMONIA", "‘PNEUMONIA’라고"), ("3", "‘3’이라고"), ("2", "‘2’라고"),
        ("sick", "‘sick’(이)라고"),
    ],
)  # fmt: skip
def test_particles_follow_the_last_sound(name: str, said: str) -> None:
    say = Language("ko")
    assert said in say("verdict.baseline_many", majority=name, share="90%", accuracy="91%")
    finding = Finding("classes", "info", evidence={"majority": name, "majority_accuracy": 0.9}, variant="imbalanced")
    assert said in say.message(finding.advice)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("암", "‘암’으로"),
        ("물", "‘물’로"),
        ("종양 괴사", "사’로"),
        ("NORMAL", "‘NORMAL’로"),
        ("7", "‘7’로"),
        ("3", "‘3’으로"),
    ],
)
def test_ro_after_a_final_l_has_no_eu(name: str, said: str) -> None:
    assert said in Language("ko")("mistakes.said", predicted=name, probability="90%")


@pytest.mark.parametrize("code", LANGUAGES)
def test_everything_that_a_recipe_may_hold_has_a_name(code: str) -> None:
    names = [f"recipe.{name}" for name in (*Recipe.model_fields, *CHOOSABLE)]
    assert [name for name in names if name not in Language(code).texts] == []


def test_no_korean_text_writes_a_particle_for_one_kind_of_ending() -> None:
    particle = re.compile(
        r"\{(majority|name|other|positive|negative|predicted|label)\}’(라고|이라고|로|으로|를|을|는|은|가|이 )"
    )
    assert [key for key, text in TEXTS.items() if particle.search(text)] == []
