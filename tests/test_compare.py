"""The comparison: every case judged by a network that never saw its group; differences paired; the simplest of equals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from lightning_fabric import Fabric
from numpy.typing import NDArray

from evenray.compare import Cell, compare, steps
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset
from evenray.plan import Plan, make
from evenray.splitting import groups
from evenray.store import Store
from evenray.train import machine

N = 36
CELLS = [Cell("none", "none"), Cell("none", "oversample"), Cell("equalize", "none")]


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return machine("cpu")


@pytest.fixture(scope="module")
def data() -> Dataset:
    label = ["sick" if i % 3 == 0 else "well" for i in range(N)]
    cases = pl.DataFrame({
        "case": [f"c{i}" for i in range(N)], "file": [f"f{i}" for i in range(N)], "label": label,
        "patient": [f"p{i // 2}" for i in range(N)], "part": ["train"] * 24 + ["validation"] * 12,
        "pixel_hash": [f"h{i}" for i in range(N)], "sha256": [f"s{i}" for i in range(N)],
        "rows": [28] * N, "columns": [28] * N, "channels": [1] * N,
    })  # fmt: skip
    return Dataset(cases, ("sick", "well"), "sick", ".")


@pytest.fixture(scope="module")
def plan(data: Dataset) -> Plan:
    return make(data, Recipe(network="vgg11_bn(width=0.05)", epochs=1, size=28, folds=2, batch=12))


def store(seed: int, name: str) -> Store:
    pixels = np.random.default_rng(seed).integers(0, 255, (N + 5, 28, 28), dtype=np.uint8)
    return Store((pixels,), 255, name)


def run(
    data: Dataset, plan: Plan, fabric: Fabric, folder: Path, cells: list[Cell] = CELLS, **options: Any
) -> pl.DataFrame:
    stores = {"none": store(0, "a"), "equalize": store(1, "b")} | options.pop("stores", {})
    rows = options.pop("rows", np.arange(N))
    return compare(data, groups(data), stores, rows, cells, plan, fabric, folder=folder, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def grid(data: Dataset, plan: Plan, fabric: Fabric, folder: Path) -> pl.DataFrame:
    return run(data, plan, fabric, folder)


def test_a_row_a_cell_with_intervals_and_one_choice(grid: pl.DataFrame, plan: Plan) -> None:
    assert list(zip(grid["contrast"], grid["balance"], strict=True)) == [(c.contrast, c.balance) for c in CELLS]
    for name in ("auprc", "auroc", "brier", "ece"):
        assert (grid[f"{name}_low"] <= grid[name] + 1e-9).all(), name
        assert (grid[f"{name}_high"] >= grid[name] - 1e-9).all(), name
    assert grid["network"].unique().to_list() == [plan.compare_network]
    assert grid["chosen"].sum() == 1
    assert grid.filter("chosen")["tied"].item()
    assert grid["tied"][int(grid["auprc"].arg_max() or 0)]
    assert grid["chosen"].arg_max() == grid["tied"].arg_max()  # the first that is tied


def test_differences_are_to_the_first_cell(grid: pl.DataFrame) -> None:
    assert grid.row(0, named=True)["difference"] == 0
    assert grid.row(0, named=True)["difference_low"] == grid.row(0, named=True)["difference_high"] == 0
    np.testing.assert_allclose(grid["difference"], grid["auprc"] - grid["auprc"][0])
    assert (grid["difference_low"] <= grid["difference_high"]).all()


def test_no_network_judges_a_case_or_group_it_saw(
    data: Dataset, plan: Plan, fabric: Fabric, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evenray import compare as module  # the module: the package has no public name compare

    seen: list[set[int]] = []
    judged: list[set[int]] = []
    fit, forward = module.fit, module.forward

    def fitted(model: Any, train: Any, *args: Any, **options: Any) -> Any:
        seen.append(set(train.rows.tolist()))
        return fit(model, train, *args, **options)

    def forwarded(model: Any, part: Any, *args: Any) -> NDArray[np.float64]:
        judged.append(set(part.rows.tolist()))
        return forward(model, part, *args)

    monkeypatch.setattr(module, "fit", fitted)
    monkeypatch.setattr(module, "forward", forwarded)
    run(data, plan, fabric, tmp_path, CELLS[:1], rows=np.arange(N) + 5)
    assert set.union(*judged) == set(range(5, N + 5))
    for trained, held in zip(seen, judged, strict=True):
        assert not {(row - 5) // 2 for row in trained} & {(row - 5) // 2 for row in held}


def test_finished_cells_are_not_computed_again(
    data: Dataset, plan: Plan, fabric: Fabric, folder: Path, grid: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("trained again")

    monkeypatch.setattr("evenray.compare.fit", never)
    assert run(data, plan, fabric, folder).equals(grid)
    changes: list[dict[str, Any]] = [{"stores": {"none": store(0, "other pixels")}}, {"seed": 1}, {"flips": True}]
    for change in changes:
        with pytest.raises(AssertionError, match="trained again"):
            run(data, plan, fabric, folder, **change)


def test_a_killed_comparison_goes_on_to_the_same_grid(
    data: Dataset, plan: Plan, fabric: Fabric, tmp_path: Path, grid: pl.DataFrame
) -> None:
    ticks = iter(range(steps(plan, 1, N) + 1))

    def tick() -> None:
        if next(ticks, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(data, plan, fabric, tmp_path, tick=tick)
    assert len(list(tmp_path.iterdir())) == 1
    assert run(data, plan, fabric, tmp_path).drop("seconds").equals(grid.drop("seconds"))


def test_a_better_cell_wins_and_the_simplest_of_equals(
    data: Dataset, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evenray import compare as module
    from evenray.core.types import Predictions

    rng = np.random.default_rng(0)

    def predicted(strength: float) -> Predictions:
        score = strength * (data.targets == 0) + rng.normal(size=N)
        p = 1 / (1 + np.exp(-score))
        table = data.cases.select("case", "patient", "part", "label").with_columns(
            pl.Series("target", data.targets), pl.Series("p_0", p), pl.Series("p_1", 1 - p),
            pl.Series("logit_0", score), pl.Series("logit_1", -score),
        )  # fmt: skip
        return Predictions(table, data.classes, "sick")

    good, random = predicted(8), predicted(0)
    found = module._grid(
        [*CELLS, Cell("equalize", "oversample")], [(p, 1.0) for p in (random, good, good, random)], plan
    )
    assert found["tied"].to_list() == [False, True, True, False]
    assert found["chosen"].to_list() == [False, True, False, False]
    assert found["difference_low"][1] > 0
