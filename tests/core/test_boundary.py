"""Public functions and classes say what is wrong with their arguments before they do anything."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evenray as er
from evenray.core.boundary import checked

FUNCTIONS = [name for name in er.__all__ if inspect.isfunction(getattr(er, name))]


class Nothing:
    """A value that no argument takes."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_of_every_function_is_checked(name: str) -> None:
    function = getattr(er, name)
    parameters = inspect.signature(function).parameters
    needed = {
        n: object()
        for n, about in parameters.items()
        if about.default is about.empty and about.kind.name != "VAR_KEYWORD"
    }
    for argument, about in parameters.items():
        if about.kind.name in ("VAR_KEYWORD", "VAR_POSITIONAL") or about.annotation == "Any":
            continue
        first = {argument: Nothing()}
        with pytest.raises(er.UsageError) as raised:
            checked(_only(function, argument))(**first)
        assert f"{argument} is <" in str(raised.value) or f"{argument} is a value of the type Nothing" in str(
            raised.value
        )
        assert "; give " in str(raised.value)
    if needed:
        with pytest.raises(er.UsageError, match=rf"{name}: missing a required argument"):
            function()
    if not any(about.kind.name == "VAR_KEYWORD" for about in parameters.values()):
        with pytest.raises(er.UsageError, match="there is no argument 'nothing_such'; it takes"):
            function(nothing_such=1)


def _only(function: Any, argument: str) -> Any:
    """The function with one argument alone, so that no other is the first to be refused."""

    def alone(**_: Any) -> None:
        raise AssertionError("called")

    plain = inspect.unwrap(function)
    about = inspect.signature(function).parameters[argument]
    alone.__signature__ = inspect.Signature([about.replace(kind=inspect.Parameter.KEYWORD_ONLY)])  # type: ignore[attr-defined]
    from evenray.core import boundary

    alone.__annotations__ = {argument: boundary._annotations(plain)[argument]}
    return alone


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda data: er.split(data, test="0.2"), r"split: test is '0\.2'; give a number"),
        (lambda data: er.split(data, seed=1.5), r"split: seed is 1\.5; give a whole number"),
        (lambda data: er.split(data, test=True), "split: test is True; give a number"),
        (lambda data: er.Histogram.of(np.zeros((3, 3))), "Histogram.of: image is .*; give what evenray.read returns"),
        (lambda data: er.enhance("a.png", 3), "enhance: method is 3; give text or None"),
        (lambda data: er.scan("a", column="label=dx"), "scan: column is 'label=dx'; give a list"),
        (lambda data: er.scan("a", value_range=(0, 1, 2)), "value_range is .*; give a pair of numbers or None"),
        (lambda data: er.Image(np.zeros((3, 3), np.uint8), value_range=5), "Image: value_range is 5; give a pair of numbers"),
        (lambda data: er.run(data, {"contrast": "clahe"}), "run: recipe is .*; give an evenray.Recipe or None"),
        (lambda data: er.Run(3), "Run: path is 3; give text or a path"),
    ],
)  # fmt: skip
def test_what_is_given_and_what_was_expected_are_said(call: Any, said: str) -> None:
    with pytest.raises(er.UsageError, match=said):
        call(er.Dataset.__new__(er.Dataset))


def test_values_pass_as_they_are() -> None:
    given = np.arange(3)

    def same(values: np.ndarray, number: float = 0.0, places: tuple[float, float] = (0, 1)) -> Any:
        return values, number, places

    values, number, places = checked(same)(given, np.float32(2), [1, 2])
    assert values is given
    assert isinstance(number, np.float32)
    assert places == [1, 2]


def test_a_public_function_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(er.enhance)) is er.enhance


def test_paths_are_settings_as_text_is(tmp_path: Path) -> None:
    assert er.Recipe(labels=tmp_path / "t.csv").labels == str(tmp_path / "t.csv")
