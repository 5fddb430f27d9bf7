"""The types that flow through the line."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.core.errors import DataError, EvenrayError, ReadError, UsageError, unknown_name
from evenray.core.types import Curve, Dataset, Estimate, Image, Predictions, Scores

GREY = np.zeros((4, 6), np.uint8)


@pytest.mark.parametrize(
    ("pixels", "value_range", "valid", "said"),
    [
        (np.zeros(4, np.uint8), (0, 1), None, "shape"),
        (np.zeros((4, 6, 4), np.uint8), (0, 1), None, r"\(4, 6, 4\)"),
        (np.zeros((4, 6)), (0, 1), None, "dtype float64"),
        (GREY, (1, 1), None, "low < high"),
        (GREY, (np.nan, 1), None, "low < high"),
        (GREY, (0, 1), np.ones((6, 4), bool), "valid has shape"),
    ],
)
def test_an_image_that_cannot_be_is_refused(pixels: Any, value_range: Any, valid: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Image(pixels, value_range, valid)


@pytest.mark.parametrize(("high", "bits"), [(1, 1), (255, 8), (256, 9), (4095, 12), (65535, 16)])
def test_bits_are_those_that_the_levels_need(high: int, bits: int) -> None:
    assert Image(np.zeros((1, 1), np.uint16), (0, high)).bits == bits


def test_colour_has_three_channels() -> None:
    assert Image(np.zeros((4, 6, 3), np.uint8), (0, 255)).channels == 3


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_composed_curves_do_what_one_after_the_other_does(first: list[float], second: list[float]) -> None:
    one, two = Curve(np.array(first)), Curve(np.array(second))
    expected = np.interp(one.values, np.linspace(0, 1, len(second)), two.values)
    np.testing.assert_allclose(one.then(two).values, expected)


def dataset() -> Dataset:
    cases = pl.DataFrame(
        {"case": ["a", "b", "c"], "label": ["sick", "well", "sick"], "part": ["train", "test", "test"]}
    )
    return Dataset(cases, ("well", "sick", "odd"), "sick", ".")


def test_targets_follow_the_order_of_the_classes() -> None:
    assert dataset().targets.tolist() == [1, 0, 1]
    assert dataset().counts == {"well": 1, "sick": 2, "odd": 0}
    assert len(dataset().part("test")) == 2


def test_an_unsplit_data_set_has_no_parts() -> None:
    bare = Dataset(pl.DataFrame({"case": ["a"], "label": ["x"]}), ("x", "y"), "x", ".")
    with pytest.raises(DataError, match="evenray split"):
        bare.part("test")


def test_cases_of_unknown_patient_stand_alone() -> None:
    table = pl.DataFrame({"patient": ["p", None, "q", "p", None]})
    assert Predictions(table, ("a", "b"), "a").patients.tolist() == [0, 1, 2, 0, 3]


def test_scores_are_attributes() -> None:
    scores = Scores({"auroc": Estimate(0.9, 0.8, 1.0, 0.5)}, 0.5, np.zeros((2, 2), np.int64), ("a", "b"), "b", 1, 1)
    assert scores.auroc.value == 0.9
    with pytest.raises(AttributeError, match="no score named 'auprc'; there are: auroc"):
        _ = scores.auprc


def test_errors_travel_between_processes() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(ReadError("a.dcm", "is empty")))
    assert (type(error), error.path, error.reason) == (ReadError, "a.dcm", "is empty")


def test_exit_codes_tell_wrong_usage_from_failure() -> None:
    assert UsageError("x").exit_code == 2
    others = {kind for kind in EvenrayError.__subclasses__() if kind.__name__ not in ("UsageError", "Cancelled")}
    assert all(kind.exit_code == 1 for kind in others)


def test_an_unknown_name_lists_the_known_ones() -> None:
    assert (
        str(unknown_name("contrast", "zzz", ["none", "clahe"]))
        == "There is no contrast named 'zzz'. Known: none, clahe."
    )
