"""The comparison: every case judged by a network that never saw its group; differences paired; the simplest of equals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Dataset, Predictions
from evenray.data.split import folds, groups
from evenray.data.store import Store
from evenray.evidence.compare import Cell, Grid, Setup, _cells, _search, compare, simplest_first
from evenray.learning.balance import parse_ratio
from evenray.learning.train import Settings
from evenray.metrics import LOWER_IS_BETTER, holm
from evenray.scale.apart import apart

N = 36
NETWORK = "vgg11_bn(width=0.05)"
CELLS = [Cell("none", "none", NETWORK), Cell("none", "oversample", NETWORK), Cell("equalize", "none", NETWORK)]


@pytest.fixture(scope="module")
def data() -> Dataset:
    label = ["sick" if i % 3 == 0 else "well" for i in range(N)]
    cases = pl.DataFrame({
        "case": [f"c{i}" for i in range(N)], "file": [f"f{i}" for i in range(N)], "label": label,
        "patient": [f"p{i // 2}" for i in range(N)], "part": ["train"] * 24 + ["validation"] * 12,
        "pixel_hash": [f"h{i}" for i in range(N)],
    })  # fmt: skip
    return Dataset(cases, ("sick", "well"), "sick", ".")


def store(seed: int, name: str) -> Store:
    pixels = np.random.default_rng(seed).integers(0, 255, (N + 5, 28, 28), dtype=np.uint8)
    return Store((pixels,), 255, name)


@pytest.fixture(scope="module")
def setup(data: Dataset) -> Setup:
    group = groups(data)
    return Setup(
        dataset=data, group=group, fold=folds(data, group, 2, 0), rows=np.arange(N), settings=Settings(1, 12, 1e-3),
        stores={"none": (store(0, "a"),), "equalize": (store(1, "b"),)}, channels=1, size=28, device="cpu",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def grid(setup: Setup, folder: Path) -> pl.DataFrame:
    return compared(CELLS, setup, folder)


def compared(*args: Any, **options: Any) -> pl.DataFrame:
    """The grid as a table, which can be read back."""
    found = compare(*args, **options)
    assert Grid.of(found.table, Path("grid.parquet")).table.equals(found.table)
    assert vars(found.chosen.cell).items() <= found.table.filter("chosen").row(0, named=True).items()
    return found.table


def test_a_fold_is_not_taken_for_one_of_another_weight_file(setup: Setup, tmp_path: Path) -> None:
    """Of the same name, in the same place."""
    weights, cell = tmp_path / "w.safetensors", Cell("none", "none", NETWORK)
    names = list[str]()
    for content in (b"first", b"second", b"first"):
        weights.write_bytes(content)
        own = replace(setup, weights=f"caffe:{weights}")
        names.append(_cells.folds_of(cell, own, tmp_path, 1)[0][0].path)
    assert names[0] == names[2] != names[1]


def told(grid: pl.DataFrame) -> pl.DataFrame:
    return grid.drop("seconds")


def test_a_row_a_cell_with_intervals_and_one_choice(grid: pl.DataFrame) -> None:
    rows = grid.select("contrast", "balance", "network").rows()
    assert rows == [(c.contrast, c.balance, c.network) for c in CELLS]
    for name in ("auprc", "auroc", "brier", "log_loss", "ece", "sensitivity_at_specificity"):
        assert (grid[f"{name}_low"] <= grid[f"{name}_high"]).all(), name
    for name in ("auprc", "auroc", "brier"):
        assert ((grid[f"{name}_low"] <= grid[name]) & (grid[name] <= grid[f"{name}_high"])).all(), name
    assert grid["chosen"].sum() == 1
    assert grid.filter("chosen")["tied"].item()
    assert (grid["seconds"] > 0).all()


def test_figures_are_taken_within_folds(grid: pl.DataFrame, setup: Setup, folder: Path) -> None:
    for cell, row in zip(CELLS, grid.iter_rows(named=True), strict=True):
        found = _cells.predicted(cell, setup, _cells.folds_of(cell, setup, folder, 1)[0])[0]
        sick, p = found.targets == 0, found.probabilities[:, 0]
        folds = [setup.fold == name for name in np.unique(setup.fold)]
        for name, metric in (("auprc", average_precision_score), ("auroc", roc_auc_score)):
            assert row[name] == pytest.approx(np.mean([metric(sick[held], p[held]) for held in folds]))
        assert row["difference"] == pytest.approx(row["auprc"] - grid["auprc"][0])
    assert grid["reference"].to_list() == [True, False, False]
    np.testing.assert_allclose(grid["p_holm"][1:], holm(grid["p"][1:].to_numpy()))


def test_no_network_judges_a_case_or_group_it_saw(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[int]] = []
    judged: list[set[int]] = []
    fit, forward = _cells.fit, _cells.forward

    def fitted(model: Any, train: Any, *args: Any, **options: Any) -> Any:
        seen.append(set(train.rows.tolist()))
        return fit(model, train, *args, **options)

    def forwarded(model: Any, part: Any, *args: Any) -> NDArray[np.float64]:
        judged.append(set(part.rows.tolist()))
        return forward(model, part, *args)

    monkeypatch.setattr(_cells, "fit", fitted)
    monkeypatch.setattr(_cells, "forward", forwarded)
    compared(CELLS[:1], replace(setup, rows=np.arange(N) + 5), tmp_path)
    assert set.union(*judged) == set(range(5, N + 5))
    for trained, held in zip(seen, judged, strict=True):
        assert not {(row - 5) // 2 for row in trained} & {(row - 5) // 2 for row in held}


def test_finished_folds_are_not_computed_again(
    setup: Setup, folder: Path, grid: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("trained again")

    monkeypatch.setattr(_cells, "fit", never)
    assert compared(CELLS, setup, folder).equals(grid)
    assert compared(CELLS[::-1], setup, folder).equals(grid)  # whatever order the user wrote
    stores = {**setup.stores, "none": (store(0, "other pixels"),)}
    for change in ({"stores": stores}, {"settings": replace(setup.settings, seed=1)}, {"size": 32},
                   {"settings": replace(setup.settings, flips=True)}, {"finetune": "last"}):  # fmt: skip
        with pytest.raises(AssertionError, match="trained again"):
            compared(CELLS, replace(setup, **change), folder)  # type: ignore[arg-type]


def test_a_killed_comparison_goes_on_with_the_fold_it_was_at(setup: Setup, tmp_path: Path, grid: pl.DataFrame) -> None:
    def stop(count: int) -> None:
        if count:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compared(CELLS, setup, tmp_path, tick=stop)
    assert len(list(tmp_path.iterdir())) == 1
    assert told(compared(CELLS, setup, tmp_path)).equals(told(grid))


def test_processes_give_the_same_numbers(setup: Setup, tmp_path: Path, grid: pl.DataFrame) -> None:
    assert told(compared(CELLS, setup, tmp_path, map=apart(2))).equals(told(grid))


def test_every_cell_of_the_last_rung_is_trained_from_every_seed(
    setup: Setup, tmp_path: Path, forecasts: Callable[..., Any]
) -> None:
    names = [f"weighted(beta=0.{i})" for i in range(1, 9)]
    forecasts({"none": 0.0} | {name: 3.0 * (i > 4) for i, name in enumerate(names)})
    cells = [Cell("none", balance, NETWORK) for balance in ("none", *names)]
    long = replace(setup, seeds=3, settings=replace(setup.settings, epochs=9))
    for halving in (False, True):
        ticks: list[int] = []
        found = compared(cells, long, tmp_path, halving=halving, map=no_training, tick=ticks.append)
        assert found["seeds"].to_list() == [3 if epochs == 9 else 1 for epochs in found["epochs"]]
        assert sum(ticks) == _search.trainings(9, folds=2, seeds=3, epochs=9, halving=halving)
        assert found.filter("chosen")["balance"].item() in names[5:]


def test_the_deviation_of_seeds_is_that_within_folds_drawn_to_the_typical(setup: Setup, folder: Path) -> None:
    setup = replace(setup, seeds=2)
    grid = compared(CELLS[:2], setup, folder)
    assert grid["seeds"].to_list() == [2, 2]
    own = []
    for cell in CELLS[:2]:
        runs = [_cells.predicted(cell, setup, works)[0] for works in _cells.folds_of(cell, setup, folder, 1)]
        values = [
            [average_precision_score(run.targets[held] == 0, run.probabilities[held, 0]) for run in runs]
            for held in (setup.fold == name for name in np.unique(setup.fold))
        ]
        own.append(np.var(values, axis=1, ddof=1).mean())
    np.testing.assert_allclose(grid["seed_deviation"] ** 2, (2 * np.array(own) + 4 * np.median(own)) / 6)


class TestImbalance:
    @pytest.mark.parametrize("ratio", ["1:4", "1:7"])
    def test_only_training_folds_are_thinned_and_by_whole_groups(self, setup: Setup, folder: Path, ratio: str) -> None:
        cell = replace(CELLS[0], imbalance=ratio)
        for seed in _cells.folds_of(cell, setup, folder, 1):
            for work, held_out in zip(seed, np.unique(setup.fold), strict=True):
                assert set(work.held) == set(np.flatnonzero(setup.fold == held_out))
                sick, well = (work.targets == 0).sum(), (work.targets == 1).sum()
                assert 0 < sick <= well / parse_ratio(ratio)
                before = np.flatnonzero(setup.fold != held_out)
                gone = set(setup.group[np.setdiff1d(before, work.train)])
                assert gone
                assert not gone & set(setup.group[work.train])

    def test_probabilities_are_those_of_the_prevalence_as_it_was(self, setup: Setup, tmp_path: Path) -> None:
        """A network that knows nothing forecasts the prevalence of the whole training folds, not that of the thinned."""
        cell = replace(CELLS[0], imbalance="1:7")
        works = _cells.folds_of(cell, setup, tmp_path, 1)[0]
        for work in works:
            counts = np.bincount(work.targets)
            np.savez(work.path, told=np.tile(np.log(counts), (len(work.held), 1)), seconds=1.0)
        found, seconds = _cells.predicted(cell, setup, works)
        assert seconds == len(works)
        for held_out in np.unique(setup.fold):
            share = (setup.dataset.targets[setup.fold != held_out] == 0).mean()
            np.testing.assert_allclose(found.probabilities[setup.fold == held_out, 0], share)

    def test_each_ratio_has_its_own_reference(self, setup: Setup, folder: Path) -> None:
        cells = [replace(c, imbalance=r) for r in ("own", "1:4") for c in CELLS[:2]]
        grid = compared(cells, setup, folder)
        assert grid["imbalance"].to_list() == ["own", "own", "1:4", "1:4"]
        assert grid["reference"].to_list() == [True, False, True, False]
        assert grid["chosen"].sum() == grid.filter(pl.col("imbalance") == "own")["chosen"].sum() == 1


SCORES = {"none": 0.0, "oversample": 8.0, "weighted": 8.0, "undersample": 0.0}


@pytest.fixture
def forecasts(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, int]]]:
    """forecasts(strength by balance) stands for training: what was trained, with its epochs, is remembered."""

    def start(strength: dict[str, float]) -> list[tuple[str, int]]:
        trained: list[tuple[str, int]] = []

        def predicted(cell: Cell, setup: Setup, works: Sequence[Any]) -> tuple[Predictions, float]:
            trained.append((cell.balance, works[0].settings.epochs))
            rng = np.random.default_rng([ord(letter) for letter in cell.balance])
            score = strength[cell.balance] * ((data.targets == 0) - 0.5) + rng.normal(size=N)
            p = 1 / (1 + np.exp(-score))
            table = data.cases.select("case", "patient", "part", "label").with_columns(
                pl.Series("target", data.targets), pl.Series("p_0", p), pl.Series("p_1", 1 - p),
                pl.Series("logit_0", score), pl.Series("logit_1", -score),
            )  # fmt: skip
            return Predictions(table, data.classes, "sick"), 1.0

        monkeypatch.setattr(_search, "predicted", predicted)
        return trained

    return start


def no_training(function: Any, items: Sequence[Any]) -> Iterable[Any]:
    return [0.0] * len(items)


def test_a_better_cell_wins(setup: Setup, tmp_path: Path, forecasts: Callable[..., Any]) -> None:
    forecasts(SCORES)
    cells = [Cell("none", balance, NETWORK) for balance in ("undersample", "oversample", "weighted", "none")]
    for metric in ("auprc", "brier"):
        found = compared(cells, setup, tmp_path, metric=metric, map=no_training)
        assert found["balance"].to_list() == ["none", "weighted", "oversample", "undersample"]
        assert found["tied"].to_list()[0] is False, metric
        assert found.filter("chosen")["balance"].item() in ("weighted", "oversample")
        gain = -1 if metric in LOWER_IS_BETTER else 1
        assert gain * found["difference"][1] > 0


def test_halving_trains_the_promising_longer_and_keeps_the_reference(
    setup: Setup, tmp_path: Path, forecasts: Callable[..., Any]
) -> None:
    names = [f"weighted(beta=0.{i})" for i in range(1, 9)]
    trained = forecasts({"none": 0.0} | {name: 8.0 * (i > 5) for i, name in enumerate(names)})
    cells = [Cell("none", balance, NETWORK) for balance in ("none", *names)]
    long = replace(setup, settings=replace(setup.settings, epochs=9))
    found = compared(cells, long, tmp_path, halving=True, map=no_training)
    assert sorted(trained) == sorted([(c.balance, 3) for c in cells] + [("none", 9)] + [(n, 9) for n in names[-2:]])
    assert found.height == 9
    assert found.filter(pl.col("epochs") == 9)["balance"].to_list() == ["none", *names[-2:]]
    assert not found.filter(pl.col("epochs") == 3)["tied"].any()
    assert found.filter("chosen")["balance"].item() in names[-2:]
    dropped = found.filter(pl.col("epochs") == 3)
    assert (dropped["difference"] != 0).all()  # to the reference, as it stood at that rung


def test_a_grid_of_another_version_is_named(grid: pl.DataFrame) -> None:
    with pytest.raises(DataError, match=r"run/grid.parquet' is damaged .* no column 'p_holm'; 'evenray compare run'"):
        Grid.of(grid.drop("p_holm"), Path("run/grid.parquet"))


@pytest.mark.parametrize("metric", ["accuracy", "ppv", "auprg"])
def test_a_metric_that_needs_a_threshold_or_is_none_is_refused(setup: Setup, tmp_path: Path, metric: str) -> None:
    with pytest.raises(UsageError, match=f"no metric to compare by named '{metric}'.*Known: auprc, auroc"):
        compared(CELLS, setup, tmp_path, metric=metric)


def test_simplicity_does_not_depend_on_the_order_of_asking() -> None:
    cells = [
        Cell(contrast, balance, network)
        for network in ("vgg11_bn(width=0.1)", "vgg11_bn(width=0.05)")
        for contrast in ("clahe", "none", "percentile(1, 99) | gamma(0.8)")
        for balance in ("focal", "threshold", "none")
    ]
    found = simplest_first(cells, size=28)
    assert found == simplest_first(cells[::-1], size=28)
    assert found[0] == Cell("none", "none", "vgg11_bn(width=0.05)")
    assert found.index(Cell("none", "threshold", "vgg11_bn(width=0.05)")) == 2
    assert "|" in found[-1].contrast
