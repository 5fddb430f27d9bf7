"""The cards of cases with their maps: what was said, or that nothing was."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.artefacts.explained import Attribution
from evenray.reporting.language import Language
from evenray.reporting.page import template
from evenray.reporting.sections.mistakes import cards_of


@pytest.mark.parametrize(("language", "words"), [("en", "nothing called"), ("ko", "판정된 것 없음")])
def test_a_card_names_a_class_only_where_one_was_called(language: str, words: str, tmp_path: Path) -> None:
    say = Language(language)
    for predicted in ("", "mass"):
        entry = Attribution(
            case="a", part="test", label="nodule", predicted=predicted, probability=0.4, kind="mistake", image="0.png",
            map="1.png",
        )  # fmt: skip
        text = template("cards.html.j2").render(say=say, groups=[("mistake", cards_of([entry], tmp_path, say))])
        assert (words in text, "mass" in text, "40" in text) == (not predicted, bool(predicted), bool(predicted))
