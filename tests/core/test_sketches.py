"""Arrays on disk: what was appended comes back by rows, whole or not at all."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path

import hypothesis.extra.numpy as arrays
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.core.errors import DataError
from evenray.core.sketches import BLOCK, OnDisk, SketchWriter, open_sketches
from evenray.core.types import Dataset

RNG = np.random.default_rng


@given(
    data=st.data(),
    dtype=st.sampled_from([np.uint8, np.uint32, np.float16]),
    shape=st.sampled_from([(), (3,), (4, 5)]),
    pieces=st.lists(st.integers(0, 9), min_size=1, max_size=5),
)
def test_what_is_appended_is_an_ordinary_array(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    dtype: type,
    shape: tuple[int, ...],
    pieces: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("sketches")
    given = [data.draw(arrays.arrays(dtype, (n, *shape))) for n in pieces]
    with SketchWriter(folder) as sketching:
        for piece in given:
            sketching.add({"one": piece, "other": piece})
    whole = np.concatenate(given)
    np.testing.assert_array_equal(np.load(folder / "one.npy"), whole)
    kept = sketching.rows["other"]
    assert len(kept) == len(whole)
    chosen = np.array(data.draw(st.lists(st.integers(0, max(0, len(whole) - 1)), max_size=20 * bool(len(whole)))), int)
    np.testing.assert_array_equal(kept[chosen], whole[chosen])


@pytest.fixture
def whole() -> np.ndarray:
    return RNG(0).integers(0, 2**32, (24 * BLOCK, 16), dtype=np.uint32)


@pytest.fixture
def kept(tmp_path: Path, whole: np.ndarray) -> OnDisk:
    with SketchWriter(tmp_path) as sketching:
        sketching.add({"one": whole})
    return OnDisk(tmp_path / "one.npy")


@pytest.mark.parametrize("step", [1, 3, 4, 1000, 49_151])
def test_rows_far_apart_and_close_together_are_the_same_rows(kept: OnDisk, whole: np.ndarray, step: int) -> None:
    rows = RNG(1).permutation(np.arange(0, len(whole), step))
    np.testing.assert_array_equal(kept[rows], whole[rows])


def test_a_file_that_was_cut_short(kept: OnDisk) -> None:
    with kept.path.open("r+b") as file:
        file.truncate(file.seek(0, 2) - 16 * 4)
    with pytest.raises(DataError, match=r"one\.npy has been cut short; 'evenray scan' makes it anew"):
        kept[np.array([0])]


def test_a_row_that_is_not_there(kept: OnDisk, whole: np.ndarray) -> None:
    for row in (-1, len(whole), np.iinfo(np.int64).min):
        with pytest.raises(DataError, match=rf"has {len(whole)} rows, and another one was asked for"):
            kept[np.array([0, row])]


def test_a_file_that_is_gone_or_something_else(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        OnDisk(tmp_path / "none.npy")[np.array([0])]
    np.save(tmp_path / "turned.npy", np.asfortranarray(np.zeros((3, 4))))
    np.save(tmp_path / "single.npy", np.float64(1))
    (tmp_path / "odd.npy").write_bytes(b"something else entirely")
    (tmp_path / "garbled.npy").write_bytes(b"\x93NUMPY\x01\x00\x10\x00" + b"{'descr': ('<f4'" + b"\n" * 30)
    for name in ("turned", "single", "odd", "garbled"):
        with pytest.raises(DataError, match="is no array of rows"):
            OnDisk(tmp_path / f"{name}.npy")[np.array([0])]


def test_what_belongs_to_another_table_or_is_hidden(kept: OnDisk, whole: np.ndarray) -> None:
    kept.path.with_name("._one.npy").write_bytes(b"what some systems leave beside a file")
    assert open_sketches(kept.path.parent, len(whole)) == {"one": kept}
    with pytest.raises(DataError, match=rf"has {len(whole)} rows for 3 cases"):
        open_sketches(kept.path.parent, 3)


def test_a_few_rows_take_little_memory(kept: OnDisk) -> None:
    rows = np.arange(0, len(kept), 3)
    kept[rows[:9]]
    tracemalloc.start()
    found = kept[rows]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * found.nbytes


def test_after_an_error_nothing_is_left(tmp_path: Path) -> None:
    sketching = SketchWriter(tmp_path / "sketches")
    with suppress(KeyboardInterrupt), sketching:
        sketching.add({"one": np.zeros((2, 3))})
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    assert sketching.rows == {}


def test_pieces_of_another_kind_are_refused(tmp_path: Path) -> None:
    with SketchWriter(tmp_path / "kept") as sketching:
        sketching.add({"one": np.zeros((2, 3), np.uint8)})
        with pytest.raises(ValueError, match=r"rows of uint8 \(4,\) after uint8 \(3,\)"):
            sketching.add({"one": np.zeros((2, 4), np.uint8)})
    assert np.load(tmp_path / "kept/one.npy").shape == (2, 3)


def test_a_table_from_elsewhere_has_no_sketch() -> None:
    data = Dataset(pl.DataFrame({"case": ["a"]}), ("x",), "x", ".", sketches={"mean": np.zeros(1)})
    assert not data.has_sketch("mean")
