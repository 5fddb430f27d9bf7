"""Specs: what is read, what prints back, what is refused."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.core.errors import UsageError
from evenray.core.spec import Step, parse

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8).filter(
    lambda name: name not in {"is", "in", "if", "or", "and", "not", "as", "def", "del", "for", "try", "from", "with",
                              "pass", "else", "elif", "class", "lambda", "while", "yield", "raise", "return", "import",
                              "global", "assert", "break", "except", "async", "await", "finally"}
)  # fmt: skip
VALUES = st.one_of(
    st.integers(-1000, 1000),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.booleans(),
    st.lists(st.integers(0, 9), max_size=3),
    st.text(string.ascii_letters + " ,|)(", max_size=8),
)


@given(NAMES, st.lists(VALUES, max_size=3), st.dictionaries(NAMES, VALUES, max_size=3))
def test_a_step_is_read_as_it_is_written(name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    written = ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())])
    text = f"{name}({written})"
    step = Step.of(text)
    assert (step.name, list(step.args), step.kwargs, str(step)) == (name, args, kwargs, text)


def test_the_steps_of_a_chain_print_back_alone() -> None:
    assert [str(step) for step in parse(" percentile(1, 99) | gamma(0.8)|none ")] == [
        "percentile(1, 99)",
        "gamma(0.8)",
        "none",
    ]


def test_none_is_the_name_of_doing_nothing() -> None:
    assert parse("None")[0].name == "none"


def test_class_names_of_another_script_are_keys() -> None:
    assert parse("weighted(정상=0.25, 폐렴=0.75)")[0].kwargs == {"정상": 0.25, "폐렴": 0.75}


@pytest.mark.parametrize(
    "text",
    ["", "gamma(", "gamma(0.8", "1", "gamma & linear", "a.b(1)", "f(x=y.z)", "f(**{'a': 1})", "f(1 + 2)", "f(lambda: 1)",
     "f(__import__('os'))(1)", "(" * 5000],
)  # fmt: skip
def test_what_is_no_spec_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        parse(text)


def test_a_chain_is_no_single_step() -> None:
    with pytest.raises(UsageError, match="chain of 2 steps"):
        Step.of("linear | gamma(2)")


@pytest.mark.parametrize(
    "text",
    ["gamma(" * 500 + ")" * 500, "|".join(["gamma(2)"] * 5000), "gamma(" + "-" * 40_000 + "1)", "x" * 100_000, "(" * 49,
     "gamma([[[" * 40],
)  # fmt: skip
def test_what_nests_deeply_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be read: ") as error:
        parse(text)
    assert len(str(error.value)) < 500
