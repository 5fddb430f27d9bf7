"""Features of a frozen trunk: each image passes through it once, and a head trained on what was kept is a model as any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from evenray.core.errors import UsageError
from evenray.core.types import Dataset
from evenray.data.store import SHARD, Store
from evenray.evidence.compare import Cell, Setup, compare
from evenray.learning import features as module
from evenray.learning import networks
from evenray.learning.balance import Balance, make
from evenray.learning.features import FeaturePart, compute, fit_head, forms_of
from evenray.learning.linear_head import VARIANCE, _drawn
from evenray.learning.networks import Classifier
from evenray.learning.train import Part, Settings, forward, machine
from evenray.learning.train.alone import Alone

N = SHARD + 40
SIDE = 32
NETWORK = "vgg11(head=average, width=0.05)"


@pytest.fixture(scope="module")
def fabric() -> Alone:
    return machine("cpu")


@pytest.fixture(scope="module")
def exact() -> Alone:
    return machine("cpu", precision="32-true")


@pytest.fixture(scope="module")
def pixels() -> Store:
    images = np.random.default_rng(0).integers(0, 256, (N, SIDE, SIDE), dtype=np.uint8)
    return Store([images[:SHARD], images[SHARD:]], 255, "pixels")


def network(spec: str = NETWORK, size: int = SIDE) -> Classifier:
    return networks.freeze(networks.build(spec, classes=2, channels=1, size=size), "frozen")


def images(store: Store, rows: Any) -> torch.Tensor:
    return torch.from_numpy(store[np.asarray(rows)].astype(np.float32))[:, None] / 255


@pytest.fixture(scope="module")
def kept(pixels: Store, exact: Alone, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, ...]:
    return compute(network(), pixels, np.arange(N), forms_of(True), tmp_path_factory.mktemp("kept"), exact)


def test_they_are_what_the_trunk_makes_of_the_image_and_of_its_mirror_image(kept: Any, pixels: Store) -> None:
    model, rows = network(), np.array([0, 7, SHARD, N - 1])
    x_NCHW = images(pixels, rows)
    for store, x in zip(kept, (x_NCHW, x_NCHW.flip(3)), strict=True):
        assert store[rows].dtype == np.float16
        np.testing.assert_allclose(store[rows], networks.features(model, x).numpy(), rtol=2e-3, atol=1e-4)


def test_each_image_passes_once_and_a_killed_pass_goes_on(
    pixels: Store, exact: Alone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[int] = []
    original = module.features

    def counted(model: Any, x: torch.Tensor) -> torch.Tensor:
        passed.append(len(x))
        if sum(passed) == N and passed.count(0) == 0 and "killed" not in seen:
            seen.add("killed")
            raise KeyboardInterrupt
        return original(model, x)

    seen: set[str] = set()
    monkeypatch.setattr(module, "features", counted)
    with pytest.raises(KeyboardInterrupt):  # in the second shard
        compute(network(), pixels, np.arange(N), ("plain",), tmp_path, exact)
    passed.clear()
    compute(network(), pixels, np.arange(N), ("plain",), tmp_path, exact)
    assert sum(passed) == N - SHARD
    passed.clear()
    compute(network("vgg11(head=average, width=0.05, dropout=0.5)"), pixels, np.arange(40), ("plain",), tmp_path, exact)
    assert sum(passed) == 40
    passed.clear()
    ticked: list[int] = []
    compute(network(), pixels, np.arange(N), ("plain",), tmp_path, exact, ticked.append)
    assert passed == []
    assert sum(ticked) == N


@pytest.mark.parametrize("spec", [NETWORK, "vgg11(head=classical, width=0.05)", "googlenet(width=0.05)"])
@pytest.mark.parametrize("remedy", ["none", "oversample", "weighted", "minority_mixup"])
def test_the_trained_model_takes_images_and_says_what_its_head_says_of_the_features(
    spec: str, remedy: str, pixels: Store, exact: Alone, tmp_path: Path
) -> None:
    model, rows, targets = network(spec), np.arange(60), (np.arange(60) % 3 == 0).astype(np.int64)
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    part = FeaturePart(compute(model, pixels, rows, ("plain",), tmp_path, exact), rows, targets)
    balance = make(remedy, np.bincount(targets), ("well", "sick"))
    model, history = fit_head(model, part, part, Settings(3, 16, 1e-2, keep="best"), balance, exact)
    of_images = forward(model, Part(pixels, rows, targets), 16, exact)
    np.testing.assert_allclose(of_images, forward(model, part, 16, exact), rtol=2e-2, atol=2e-2)
    heads = tuple(name for name in model.network.head_modules if not name.startswith("aux"))
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(tensor, before[name]) != name.startswith(heads), name
    assert [row["epoch"] for row in history] == ([1, 2, 3] if "classical" in spec else [1])
    assert {"train_loss", "validation_macro_auprc", "learning_rate"} <= set(history[0])


def test_the_linear_head_comes_to_the_logistic_regression_of_scikit_learn(exact: Alone) -> None:
    rng = np.random.default_rng(0)
    wide = network().network.classifier[-1].in_features
    x = (rng.normal(size=(600, wide)) * rng.uniform(0.1, 30, wide) + 50).astype(np.float16)  # scales far apart
    told = x.astype(np.float64)
    odds = ((told - told.mean(0)) / told.std(0)) @ rng.normal(size=wide) * 0.5
    targets = (rng.random(600) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    part = FeaturePart((Store([x[:SHARD], x[SHARD:]], 1),), np.arange(600), targets)
    model, _ = fit_head(network(), part, None, Settings(2, 64, 3e-2), Balance(), exact)
    logits = forward(model, part, 64, exact)
    p = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    standard = (told - told.mean(0)) / told.std(0)
    best = LogisticRegression(C=VARIANCE / wide, max_iter=2000, tol=1e-8).fit(standard, targets)
    assert np.abs(p - best.predict_proba(standard)[:, 1]).max() < 0.01


def test_a_remedy_reaches_the_linear_head(exact: Alone) -> None:
    """Against scikit-learn with class weights: oversampling to equal counts and weights are the same in expectation."""
    rng = np.random.default_rng(1)
    wide = network().network.classifier[-1].in_features
    targets = (np.arange(400) % 5 == 0).astype(np.int64)
    x = (rng.normal(size=(400, wide)) + 0.4 * targets[:, None]).astype(np.float16)
    part = FeaturePart((Store([x], 1),), np.arange(400), targets)
    standard = (x.astype(np.float64) - x.mean(0, dtype=np.float64)) / x.std(0, dtype=np.float64)
    best = LogisticRegression(C=VARIANCE / wide, class_weight="balanced").fit(standard, targets)
    for remedy in ("weighted", "oversample"):
        balance = make(remedy, np.bincount(targets), ("well", "sick"))
        model, _ = fit_head(network(), part, None, Settings(20, 32, 1e-3), balance, exact)
        logits = forward(model, part, 64, exact)
        p = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
        assert np.abs(p - best.predict_proba(standard)[:, 1]).mean() < 0.05
        assert p.mean() > 0.3  # without a remedy it is the share of the sick, .2


def test_maps_of_images_larger_than_the_head_was_made_for(pixels: Store, exact: Alone, tmp_path: Path) -> None:
    rows, targets = np.arange(24), np.arange(24) % 2
    large = Store([np.kron(pixels[rows], np.ones((1, 2, 2), np.uint8))], 255, "large")
    model = network("vgg11(head=classical, width=0.05)")
    part = FeaturePart(compute(model, large, rows, ("plain",), tmp_path, exact), rows, targets)
    assert part.forms[0].shards[0].ndim == 4
    model, _ = fit_head(model, part, None, Settings(2, 8, 1e-2), Balance(), exact)
    of_images = model(images(large, rows)).detach().numpy()
    np.testing.assert_allclose(of_images, forward(model, part, 16, exact), rtol=2e-2, atol=2e-2)


def test_a_remedy_that_changes_images_is_refused(kept: Any, exact: Alone) -> None:
    part = FeaturePart(kept, np.arange(9), np.arange(9) % 2)
    remedy = make("oversample_augmented", np.array([5, 4]), ("well", "sick"))
    with pytest.raises(UsageError, match="each image passes through the trunk once; take oversample"):
        fit_head(network(), part, None, Settings(1, 4, 1e-3), remedy, exact)


def test_all_cells_of_a_row_share_them(pixels: Store, fabric: Alone, tmp_path: Path, tiny_dataset: Dataset) -> None:
    """Remedies, folds and seeds train heads on one pass; another seed starts from another head, on the same trunk."""
    weights = tmp_path / "weights.safetensors"
    networks.save(networks.build(NETWORK, classes=2, channels=1, size=SIDE, seed=5), weights)
    model = networks.freeze(networks.build(NETWORK, classes=2, channels=1, size=SIDE, pretrained=weights), "frozen")
    rows = np.arange(len(tiny_dataset))
    stores = compute(model, pixels, rows, ("plain",), tmp_path, fabric)
    setup = Setup(
        dataset=tiny_dataset, group=rows, fold=rows % 2, stores={"none": stores}, rows=rows, settings=Settings(2, 8, 1e-2),
        channels=1, size=SIDE, device="cpu", seeds=2, weights=str(weights), finetune="frozen", frozen=True,
    )  # fmt: skip
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    grid = compare(
        [Cell("none", balance, NETWORK) for balance in ("none", "oversample")], setup, tmp_path / "cells"
    ).table
    assert grid.height == 2
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    assert len(list((tmp_path / "cells").glob("*.npz"))) == 2 * 2 * 2


@pytest.fixture
def tiny_dataset() -> Dataset:
    import polars as pl

    cases = pl.DataFrame({
        "case": [f"c{i}" for i in range(40)], "label": ["sick" if i % 3 == 0 else "well" for i in range(40)],
        "patient": [f"p{i}" for i in range(40)], "part": ["train"] * 40,
    })  # fmt: skip
    return Dataset(cases, ("well", "sick"), "sick", ".")


def test_a_head_learns_from_what_a_sampler_draws_once_its_shares_no_longer_change(pixels: Store) -> None:
    """Progressive sampling is corrected for the shares that it ends at; what it drew on the way there has others."""
    targets = np.array([0] * 270 + [1] * 30)
    part = Part(pixels, np.arange(300), targets)
    for epochs in (6, 10):
        remedy = make("progressive", [270, 30], ["a", "b"], epochs=epochs)
        settings = Settings(epochs=epochs, batch=16, learning_rate=0.1)
        drawn = torch.cat([answers for _, answers in _drawn(part, (part,), settings, remedy, machine("cpu"))])
        assert drawn.double().mean().item() == pytest.approx(0.5, abs=0.06)


def test_with_another_version_of_a_plug_in_features_are_made_anew(
    pixels: Store, exact: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, rows = network(), np.arange(4)
    before = module._key(model, pixels, rows, "plain", exact)
    assert module._key(model, pixels, rows, "plain", exact) == before
    monkeypatch.setattr(module, "packages", lambda: {"plug-in": "0.2"})
    assert module._key(model, pixels, rows, "plain", exact) != before
