"""The prepared store: what stands on disk is what the images look like, and is made once."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError, ReadError
from evenray.core.facts import Facts
from evenray.core.types import Dataset, Image
from evenray.data.letterbox import letterbox
from evenray.data.scan import scan
from evenray.data.store import SHARD, Mapped, Store, prepare
from evenray.images.contrast import enhance
from evenray.images.histogram import Histogram
from evenray.images.readers import read


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for number in range(7):
        path = root / ("sick" if number % 2 else "well") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 200, (40 + number, 30), dtype=np.uint8))
    return root


@pytest.fixture(scope="module")
def data(images: Path) -> Dataset:
    return scan(images)


def test_rows_are_the_images_in_order_under_each_contrast(data: Dataset, tmp_path: Path) -> None:
    stores = prepare(data, ["none", "equalize"], size=28, channels=1, folder=tmp_path)
    for contrast, store in stores.items():
        assert (len(store), store.scale, store.shards[0].dtype) == (7, 255, np.uint8)
        for row, file in enumerate(data.cases["file"]):
            expected, _ = letterbox(enhance(read(Path(data.root) / file), contrast), 28, 1, 255)
            np.testing.assert_array_equal(store[np.array([row])][0], expected)


def test_shards_are_one_long_array(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = prepare(data, ["none"], size=28, channels=3, folder=tmp_path / "a")["none"]
    monkeypatch.setattr(sys.modules["evenray.data.store"], "SHARD", 3)
    pieces = prepare(data, ["none"], size=28, channels=3, folder=tmp_path / "b")["none"]
    rows = np.array([6, 0, 3, 3, 2])
    assert [len(shard) for shard in pieces.shards] == [3, 3, 1]
    np.testing.assert_array_equal(pieces[rows], whole.shards[0][rows])


def test_what_stands_is_not_made_again(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(data, ["none"], size=28, channels=1, folder=tmp_path)
    made: list[tuple[str, ...]] = []

    def counting(function: Any, work: Any) -> Any:
        made.extend(tuple(contrast for contrast, _ in item.targets) for item in work)
        return map(function, work)

    prepare(data, ["none", "equalize"], size=28, channels=1, folder=tmp_path, map=counting)
    assert made == [("equalize",)]


def test_a_killed_preparation_goes_on_with_the_shard_it_was_at(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["evenray.data.store"]
    monkeypatch.setattr(module, "SHARD", 2)
    expected = prepare(data, ["none"], size=28, channels=1, folder=tmp_path / "whole")["none"]

    def killed(path: Path, **options: Any) -> Image:
        if path.name == "4.png":
            raise KeyboardInterrupt
        return read(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, "read", killed)
        with pytest.raises(KeyboardInterrupt):
            prepare(data, ["none"], size=28, channels=1, folder=tmp_path / "killed")
    assert 0 < len(list((tmp_path / "killed").rglob("*.npy"))) < 4
    again = prepare(data, ["none"], size=28, channels=1, folder=tmp_path / "killed")["none"]
    np.testing.assert_array_equal(again[np.arange(7)], expected[np.arange(7)])


def test_a_shard_that_was_cut_off_is_made_again(data: Dataset, tmp_path: Path) -> None:
    store = prepare(data, ["none"], size=28, channels=1, folder=tmp_path)["none"]
    shard, whole = next(tmp_path.rglob("000000.npy")), store.shards[0].copy()
    shard.write_bytes(shard.read_bytes()[:1000])
    again = prepare(data, ["none"], size=28, channels=1, folder=tmp_path)["none"]
    np.testing.assert_array_equal(again.shards[0], whole)


def test_what_a_killed_process_left_half_written_goes_after_an_hour(data: Dataset, tmp_path: Path) -> None:
    prepare(data, ["none"], size=28, channels=1, folder=tmp_path)
    folder = next(tmp_path.rglob("000000.npy")).parent
    old, new = folder / ".000001.npy.4194305.tmp", folder / ".000002.npy.4194305.tmp"  # no process has such a number
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    prepare(data, ["none"], size=28, channels=1, folder=tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_reference_counts_by_its_content(data: Dataset, tmp_path: Path) -> None:
    reference, contrast = tmp_path / "r.json", f"match('{tmp_path / 'r.json'}')"
    found = []
    for level in (20, 230):
        Histogram.of(Image(np.full((9, 9), level, np.uint8), (0, 255))).save(reference)
        os.utime(reference, ns=(level, level))  # as a file that was written later
        found.append(prepare(data, [contrast], size=28, channels=1, folder=tmp_path)[contrast].shards[0].max())
    assert found == [20, 230]


def test_all_that_the_pixels_depend_on_is_in_the_name(data: Dataset, tmp_path: Path) -> None:
    def name(**changes: Any) -> str:
        options = {"dataset": data, "contrasts": ["none"], "size": 28, "channels": 1} | changes
        [store] = prepare(**options, folder=tmp_path).values()
        return store.name

    names = [
        name(), name(contrasts=["gamma(2)"]), name(size=29), name(channels=3),
        name(dataset=replace(data, facts=Facts(value_range=(0, 100)))), name(dataset=replace(data, cases=data.cases.reverse())),
    ]  # fmt: skip
    assert len(set(names)) == len(names)
    assert name(dataset=replace(data, facts=Facts(value_range=(0.0, 100.0)))) == names[4]


def test_levels_of_the_scan_hold(images: Path, tmp_path: Path) -> None:
    dark, bright = (
        prepare(scan(images, value_range=value_range), ["none"], size=28, channels=1, folder=tmp_path)["none"]
        for value_range in (None, (0, 100))
    )
    assert bright[np.arange(7)].mean() > 1.5 * dark[np.arange(7)].mean()


def test_more_than_8_bits_make_a_store_of_16(tmp_path: Path) -> None:
    for name in ("sick", "well"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), np.full((30, 30), 4095 if name == "sick" else 1, np.uint16))
    store = prepare(scan(tmp_path, value_range=(0, 4095)), ["none"], size=28, channels=1, folder=tmp_path / "store")[
        "none"
    ]
    assert (store.scale, store.shards[0].dtype) == (65535, np.uint16)
    assert store[np.array([0, 1])].max((1, 2)).tolist() == [65535, 16]


def test_an_image_that_went_away_is_named(images: Path, data: Dataset, tmp_path: Path) -> None:
    lost = replace(data, root=str(tmp_path))
    with pytest.raises(ReadError, match="does not exist"):
        prepare(lost, ["none"], size=28, channels=1, folder=tmp_path / "store")


def test_more_shards_than_files_may_be_open(tmp_path: Path) -> None:
    for number in range(400):
        np.save(tmp_path / f"{number:06d}.npy", np.full((1, 2, 2), number, np.uint16))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (350, hard))
    try:
        shards = Mapped(sorted(tmp_path.glob("*.npy")))
        assert [int(shard[0, 0, 0]) for shard in shards] == list(range(400))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_shard_that_is_cut_short_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "000000.npy"
    np.save(path, np.zeros((4, 2, 2), np.uint8))
    store = Store(Mapped([path]), 255)
    assert store[np.array([3])].shape == (1, 2, 2)
    path.write_bytes(path.read_bytes()[:-1])
    assert store[np.array([2])].shape == (1, 2, 2)
    with pytest.raises(DataError, match=r"000000\.npy has been cut short"):
        store[np.array([3])]


def test_rows_beyond_a_shard_are_found() -> None:
    shards = tuple(np.full((n, 1, 1), i, np.uint8) for i, n in enumerate((SHARD, SHARD, 5)))
    assert Store(shards, 255)[np.array([0, SHARD - 1, SHARD, 2 * SHARD, 2 * SHARD + 4])].ravel().tolist() == [
        0,
        0,
        1,
        2,
        2,
    ]


def test_the_index_says_what_each_row_was_made_of(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["evenray.data.store"], "SHARD", 3)
    store = prepare(data, ["none"], size=28, channels=1, folder=tmp_path)["none"]
    index = pl.read_parquet(tmp_path / store.name / "index.parquet")
    assert index.columns == ["row", "shard", "offset", "sha256", "fragment"]  # and no path, which may name a patient
    for row, shard, offset, sha256 in index.select("row", "shard", "offset", "sha256").iter_rows():
        file = Path(data.root) / data.cases["file"][row]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256
        np.testing.assert_array_equal(
            np.load(tmp_path / store.name / f"{shard:06d}.npy")[offset], store[np.array([row])][0]
        )


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's count of a process's pages")
def test_reading_keeps_no_pages_of_the_shards(tmp_path: Path) -> None:
    shards = []
    for number in range(4):
        shards.append(tmp_path / f"{number}.npy")
        np.save(shards[-1], np.full((SHARD, 128, 128), number, np.uint8))  # 8 MB each
    store = Store(Mapped(shards), 255)

    def held() -> int:
        found = re.search(r"Rss:\s+(\d+) kB", Path("/proc/self/smaps_rollup").read_text())
        assert found
        return int(found[1])

    store[np.array([0])]
    before = held()
    for start in range(0, len(store), 64):
        rows = store[np.arange(start, start + 64)]
        assert (rows == start // SHARD).all()
    assert held() - before < 8_000  # of 32,000 that were read
