"""Floats that are taken to be 0 to 1 and are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from evenray.core.texts import Texts
from evenray.data.audit.depth import levels_undeclared, true_range
from evenray.data.scan import scan

RNG = np.random.default_rng(3)


def archive(path: Path, low: float, high: float) -> Path:
    """Six images, the first of which is blank; the last but one holds both ends of the range."""
    images = RNG.uniform(low, high, (6, 16, 16)).astype(np.float32)
    images[0] = 0
    images[4, 0, :2] = low, high
    np.savez(path, train_images=images, train_labels=np.arange(6) % 2)
    return path


@pytest.mark.parametrize(
    ("low", "high", "told", "value_range"),
    [
        (0, 255, "from 0 to 255", "0,255"),
        (0, 3071, "from 0 to 3071", "0,4095"),
        (-1, 1, "from -1 to 1", "-1,1"),
        (-1024, 2000.5, "from -1024 to 2000.5", "-1024,2001"),
    ],
)
def test_the_range_to_give_is_told(tmp_path: Path, low: float, high: float, told: str, value_range: str) -> None:
    (found,) = levels_undeclared(scan(archive(tmp_path / "own.npz", low, high)))
    assert found.severity == "error"
    said = Texts("en").message(found.advice)
    assert told in said
    assert said.endswith(f"--value-range {value_range}.")
    assert (found.evidence["images"], found.evidence["lowest_value"], found.evidence["highest_value"]) == (5, low, high)
    assert f"--value-range {value_range} " in Texts("ko").message(found.advice)


@pytest.mark.parametrize("bits", range(8, 17))
@pytest.mark.parametrize("over", [2**-23, 1e-4, 0.0099])
def test_a_slight_overshoot_does_not_double_the_range(bits: int, over: float) -> None:
    top = 2.0**bits - 1
    for high in (top * 0.51, top, top * (1 + over)):
        assert true_range(0, high) == true_range(-0.05, high) == (0, top)
    assert true_range(0, top * 1.011) == (0, 2 * top + 1 if bits < 16 else np.ceil(top * 1.011))


def test_floats_of_0_to_1_and_a_range_that_was_given_are_right(tmp_path: Path) -> None:
    assert (
        levels_undeclared(scan(archive(tmp_path / "own.npz", -0.03, 1.04))) == []
    )  # as a cubic resampling leaves them
    path = archive(tmp_path / "own.npz", 0, 255)
    assert levels_undeclared(scan(path, value_range=(0, 255))) == []
    assert [found.variant for found in levels_undeclared(scan(path, value_range=(0, 1)))] == ["asked"]


def test_a_table_of_an_earlier_scan_lacks_the_values(tmp_path: Path) -> None:
    dataset = scan(archive(tmp_path / "own.npz", 0, 255))
    assert levels_undeclared(replace(dataset, cases=dataset.cases.drop("smallest_value"))) == []


def tiffs(folder: Path, arrays: list[np.ndarray]) -> Path:
    for number, array in enumerate(arrays):
        path = folder / ("sick" if number % 2 else "well") / f"{number}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, array, photometric="minisblack")
    return folder


@pytest.mark.parametrize(("low", "high"), [(-1000, 900), (-200, 3000), (-1024, 3071)])
def test_signed_values_are_advised_their_own_range(tmp_path: Path, low: int, high: int) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.integers(low, high, (24, 24), endpoint=True).astype(np.int16) for _ in range(6)]
    (found,) = levels_undeclared(scan(tiffs(tmp_path / "d", arrays)))
    assert found.variant == "signed"
    assert found.evidence["range_low"] <= low + 5
    assert found.evidence["range_high"] >= high - 5
    given = (found.evidence["range_low"], found.evidence["range_high"])
    assert levels_undeclared(scan(tmp_path / "d", value_range=given)) == []


def test_a_range_of_each_file_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scales = [1000, 4000, 900, 4400, 1100, 3900]
    arrays = [(rng.random((24, 24)) * scale).astype(np.float32) for scale in scales]
    (found,) = [f for f in levels_undeclared(scan(tiffs(tmp_path / "d", arrays))) if f.variant == "by_file"]
    assert found.evidence["range_high"] >= 4300
    same = [(np.where(np.eye(24) > 0, 1000, rng.random((24, 24)) * 900)).astype(np.float32) for _ in range(6)]
    assert not [f for f in levels_undeclared(scan(tiffs(tmp_path / "same", same))) if f.variant == "by_file"]


@pytest.mark.parametrize(
    ("dtype", "low", "high", "given", "cut"),
    [
        ("int16", -1000, 900, (0, 1023), True),
        ("int16", -1000, 900, (-1000, 900), False),
        ("uint16", 0, 4095, (0, 1023), True),
        ("uint16", 0, 4095, (0, 4095), False),
        ("float32", -3, 4, (0, 1), True),
    ],
)
def test_a_given_range_that_cuts_much_off_is_told(
    tmp_path: Path, dtype: str, low: int, high: int, given: tuple[float, float], cut: bool
) -> None:
    rng = np.random.default_rng(4)
    for name in "abcd":
        (tmp_path / name).mkdir()
        tifffile.imwrite(
            tmp_path / name / "1.tif", rng.uniform(low, high, (32, 32)).astype(dtype), photometric="minisblack"
        )
    found = levels_undeclared(scan(tmp_path, value_range=given))
    assert [one.variant for one in found] == ["asked"] * cut
    for one, lang in ((one, lang) for one in found for lang in ("en", "ko")):
        assert "--value-range" in Texts(lang).message(one.advice)
