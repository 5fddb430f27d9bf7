"""References of histogram specification: by a file's name, and by its content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenray.core.errors import UsageError
from evenray.core.types import Image
from evenray.images.contrast import add_references, enhance, fix_references
from evenray.images.histogram import Histogram

PICTURE = Image(np.random.default_rng(0).integers(0, 256, (20, 30)).astype(np.uint8), (0, 255))


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    Histogram.of(Image((PICTURE.pixels // 3).astype(np.uint8), (0, 255))).save(tmp_path / "r.json")
    return tmp_path / "r.json"


@pytest.mark.parametrize(
    "spec", ["match('{}')", "match(reference='{}')", "clahe | match('{}') | invert", "local(match('{}'), tiles=2)",
             "local('linear | match(reference=\"{}\")', tiles=2)"],
)  # fmt: skip
def test_by_content_it_is_the_same_wherever_the_file_goes(spec: str, reference: Path) -> None:
    spec = spec.format(reference)
    before = enhance(PICTURE, spec).pixels
    text, found = fix_references(spec)
    assert str(reference) not in text
    reference.unlink()
    add_references(found)
    assert fix_references(text)[0] == text
    assert np.array_equal(enhance(PICTURE, text).pixels, before)


def test_another_content_is_another_name(reference: Path) -> None:
    spec = f"match('{reference}')"
    first = fix_references(spec)[0]
    Histogram.of(PICTURE).save(reference)
    assert fix_references(spec)[0] != first


@pytest.mark.parametrize("spec", ["none", "match", "match(normal, sd=0.3)", "match(uniform) | clahe(clip=2,tiles=4)"])
def test_what_names_no_file_is_left_as_it_was_typed(spec: str) -> None:
    assert fix_references(spec) == (spec, {})


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        fix_references(f"match('{tmp_path / 'gone.json'}')")
