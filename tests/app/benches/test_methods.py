"""Forms of contrast methods: every default and every end of a slider is a value that the method takes."""

from __future__ import annotations

import numpy as np
import pytest

from evenray.app.benches.methods import Method, methods
from evenray.core.texts import Texts
from evenray.core.types import Image
from evenray.images.contrast import contrasts, enhance


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.name)
def test_every_value_of_a_form_is_taken(method: Method) -> None:
    image = Image(np.arange(1024, dtype=np.uint16).astype(np.uint8).reshape(32, 32), (0, 255))
    enhance(image, method.name)
    for one in method.parameters:
        ends = [value for value in (one.low, one.high) if value is not None]
        for value in (*map(int if one.kind == "whole" else float, ends), *one.choices):
            if method.name == "percentile" or (method.name == "window" and one.kind == "grey"):
                continue  # each is bound by the other; a sentence says so
            enhance(image, f"{method.name}({one.name}={value})")
        assert one.default is None or not ends or ends[0] <= float(one.default) <= ends[1]


def test_every_parameter_of_the_registry_has_a_control() -> None:
    assert {m.name: {one.name for one in m.parameters} for m in methods()} == {
        name: set(contrasts.parameters(name)) for name in contrasts
    }


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_method_is_told_in_words(lang: str) -> None:
    assert not [name for name in contrasts if f"app.light_bench.method.{name}" not in Texts(lang).texts]
