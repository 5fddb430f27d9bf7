"""The recipe: what it refuses, and that it survives being written down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evenray.core.errors import UsageError
from evenray.core.recipe import Recipe


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "contrast": st.sampled_from(["none", ("none", "clahe(clip=2)")]),
            "balance": st.sampled_from(["weighted", ("none", "oversample")]),
            "seed": st.integers(0, 2**31),
            "size": st.none() | st.integers(28, 500),
            "value_range": st.none() | st.just((0.0, 4095.0)),
            "test": st.floats(0.05, 0.4),
            "learning_rate": st.none() | st.floats(1e-6, 1),
            "flips": st.booleans(),
            "positive": st.sampled_from([None, "sick", "정상"]),
        },
    )
)
def test_a_recipe_written_to_json_is_the_same_recipe(values: dict[str, Any]) -> None:
    recipe = Recipe(**values)
    assert Recipe.of(json.loads(json.dumps(recipe.as_json()))) == recipe


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"test": 0}, "test is 0; give a fraction"),
        ({"validation": 0.95}, "validation is 0.95; give a fraction"),
        ({"test": 0.5, "validation": 0.5}, "leave nothing to train on"),
        ({"size": 27}, "size is 27; give a whole number from 28 up"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"folds": 1}, "folds is 1; give a whole number from 2 up"),
        ({"seed": -1}, "seed is -1; give a whole number from 0 up"),
        ({"learning_rate": 0}, "learning_rate is 0; give a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"effort": "huge"}, "effort is 'huge'; give quick, standard or thorough"),
        ({"value_range": (5, 5)}, r"value_range is \(5, 5\); give LOW,HIGH"),
        ({"value_range": (0, float("inf"))}, "value_range is"),
        ({"contrast": ()}, "contrast is .*; name one method"),
        ({"balance": ""}, "balance is .*; name one method"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Recipe(**values)


def test_a_list_of_contrasts_is_taken_as_a_tuple_of_them() -> None:
    assert Recipe(contrast=["none", "clahe"]).contrasts == ("none", "clahe")  # type: ignore[arg-type]


def test_a_recipe_is_frozen_and_changed_by_copy() -> None:
    recipe = Recipe()
    with pytest.raises(ValidationError):
        recipe.seed = 3  # type: ignore[misc]
    assert (recipe.but(seed=3).seed, recipe.seed) == (3, 0)
