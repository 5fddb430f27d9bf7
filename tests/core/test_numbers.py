"""Figures are rounded, but never to a bound that they have not reached; in English, in Korean, on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evenray.core.numbers import DUST, brief, decimals, signed
from evenray.core.types import Estimate
from evenray.reporting.language import Language


@given(value=st.floats(0, 1), digits=st.integers(1, 4))
def test_only_what_is_a_bound_is_printed_as_one(value: float, digits: int) -> None:
    from_bound = min(value, 1 - value)
    assume(abs(from_bound - DUST) > DUST / 100)
    text = decimals(value, digits)
    if text[0] in "<>":
        bound = float(text[1:])
        assert value < bound if text[0] == "<" else value > bound
    else:
        assert abs(float(text) - value) <= 0.5 * 10**-digits + 1e-15
        assert (float(text) in (0, 1)) == (from_bound < DUST)


@given(value=st.floats(0, 2))
def test_a_brief_number_is_on_the_same_side_of_one(value: float) -> None:
    text = brief(value)
    assert (float(text.strip(">")) < 1) == (value < 1)
    assert float(text.strip(">")) == pytest.approx(value, rel=6e-3)


@pytest.mark.parametrize(
    ("value", "said"), [(0.0312, "+0.031"), (-0.0002, "0.000"), (0.0002, "0.000"), (-0.0, "0.000")]
)
def test_what_rounds_to_nothing_has_no_sign(value: float, said: str) -> None:
    assert signed(value) == Language("en").signed(value) == Language("ko").signed(value) == said


def test_pages_and_scores_print_alike() -> None:
    assert str(Estimate(0.99972, 0.9996, 0.99999, 0.5)) == ">0.999 (>0.999 to >0.999; baseline: 0.500)"
    assert str(Estimate(np.nan, np.nan, 1.0, 0.0)) == "undefined (baseline: 0.000)"
    for code in ("en", "ko"):
        say = Language(code)
        assert [say.number(0.99972), say.number(1.0), say.number(0.0004), say.number(0.0)] == [
            ">0.999", "1.000", "<0.001", "0.000",
        ]  # fmt: skip
        assert say.brief(0.99996) == "0.99996"
        assert say.percent(0.9998).startswith(">99.9")
        assert say.percent(0.0002).startswith("<0.1")
