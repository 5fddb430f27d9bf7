"""Training: learns, repeats itself bit for bit, goes on after a kill, and says what went wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.errors import TrainingError, UsageError
from evenray.data.store import Store
from evenray.learning import networks
from evenray.learning.balance import Balance, make
from evenray.learning.networks import Classifier
from evenray.learning.train import Machine, Part, Settings, fit, forward, machine, statistics
from evenray.learning.train.machine import Precision, plugin
from evenray.learning.train.order import cut, epoch_batches
from evenray.learning.train.schedule import one_cycle

SETTINGS = Settings(epochs=3, batch=8, learning_rate=2e-3)


def part(n: int = 24, seed: int = 0) -> Part:
    """Images of 28 pixels; every third is sick, which a bright square tells."""
    rng = np.random.default_rng(seed)
    targets = (np.arange(n) % 3 == 0).astype(np.int64)
    pixels = rng.integers(0, 90, (n, 28, 28), dtype=np.uint8)
    pixels[targets == 1, 8:18, 8:18] += 140
    return Part(Store((pixels,), 255), np.arange(n), targets)


@pytest.fixture(scope="module")
def fabric() -> Machine:
    return machine("cpu")


def model(spec: str = "vgg11_bn(head=average, width=0.05)", seed: int = 0) -> Classifier:
    return networks.build(spec, classes=2, channels=1, size=28, seed=seed)


def weights(trained: Classifier) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trained.network.state_dict().items()}


def same(one: Classifier, two: Classifier) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one).values(), weights(two).values(), strict=True))


def test_it_learns(fabric: Machine) -> None:
    told: list[Mapping[str, float]] = []
    trained, history = fit(
        model(), part(48), part(24, 1), replace(SETTINGS, epochs=8), Balance(), fabric, epoch_done=told.append
    )
    assert told == history
    assert [row["epoch"] for row in history] == list(range(1, 9))
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert history[-1]["validation_auroc"] > 0.9
    assert not trained.training
    assert set(history[0]) == {"epoch", "train_loss", "validation_loss", "validation_auroc", "validation_macro_auprc",
                               "validation_macro_auprc_error", "learning_rate", "seconds", "validation_seconds"}  # fmt: skip


@pytest.mark.parametrize("spec", ["none", "weighted", "oversample", "undersample", "oversample | focal(gamma=2)"])
def test_every_kind_of_remedy_trains_and_repeats_itself(fabric: Machine, spec: str) -> None:
    remedy = make(spec, [16, 8], ("well", "sick"))
    settings = replace(SETTINGS, epochs=1, flips=True)
    one, first = fit(model(), part(), None, settings, remedy, fabric)
    two, second = fit(model(), part(), None, settings, remedy, fabric)
    assert same(one, two)
    assert first[0]["train_loss"] == second[0]["train_loss"]
    other, _ = fit(model(), part(), None, replace(settings, seed=1), remedy, fabric)
    assert not same(one, other)


def timeless(row: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in row.items() if "seconds" not in name}


class Killed(BaseException):
    pass


def stop_after(calls: int) -> Callable[[], None]:
    left = iter(range(calls))

    def tick() -> None:
        if next(left, None) is None:
            raise Killed

    return tick


@pytest.mark.parametrize(("batches", "keep"), [(1, "best"), (4, "best"), (8, "last")])  # in each of the three epochs
def test_killed_in_the_middle_it_goes_on_to_the_same_end(
    fabric: Machine, tmp_path: Path, keep: str, batches: int
) -> None:
    settings = replace(SETTINGS, keep=keep, flips=True)
    spec = "vgg11(width=0.05, head=classical)"  # with dropout: its noise has to be the same, too
    remedy = make("oversample", [16, 8], ("well", "sick"))

    def train(folder: Path | None, tick: Callable[[], None]) -> tuple[Classifier, list[dict[str, float]]]:
        return fit(model(spec), part(), part(12, 1), settings, remedy, fabric, folder=folder, tick=tick)

    whole, expected = train(None, lambda: None)
    with pytest.raises(Killed):
        train(tmp_path, stop_after(batches))
    ticks: list[int] = []
    again, history = train(tmp_path, lambda: ticks.append(1))
    assert same(whole, again)
    assert [timeless(row) for row in history] == [timeless(row) for row in expected]
    assert len(ticks) == 9 - 3 * (batches // 3)
    finished, _ = train(tmp_path, stop_after(0))
    assert same(whole, finished)


def test_killed_between_the_two_checkpoint_files(
    fabric: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, keep="best")
    whole, _ = fit(model(), part(), part(12, 1), settings, Balance(), fabric)
    saved: list[Any] = []
    save = torch.save

    def killed(value: Any, path: Path) -> None:
        if len(saved) == 3:
            raise Killed
        saved.append(path)
        save(value, path)

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(Killed):
        fit(model(), part(), part(12, 1), settings, Balance(), fabric, folder=tmp_path)
    monkeypatch.undo()
    again, _ = fit(model(), part(), part(12, 1), settings, Balance(), fabric, folder=tmp_path)
    assert same(whole, again)


def test_the_last_epoch_as_good_as_the_best_is_kept(fabric: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([(0.3, 0.1), (0.9, 0.02), (0.89, 0.02), (0.5, 0.5)])
    states: list[dict[str, Tensor]] = []

    def validated(average: Classifier, *_: Any) -> dict[str, float]:
        states.append(weights(average))
        return dict(zip(("validation_macro_auprc", "validation_macro_auprc_error"), next(scores), strict=True))

    monkeypatch.setattr("evenray.learning.train.loop.validate", validated)
    best, _ = fit(model(), part(), part(12, 1), replace(SETTINGS, epochs=4, keep="best"), Balance(), fabric)
    assert all(torch.equal(a, b) for a, b in zip(states[2].values(), weights(best).values(), strict=True))


def test_nothing_is_kept_and_nothing_ends_before_the_remedy_has_settled(
    fabric: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first epoch validates best by far, but the prior of the remedy is not yet that of the network."""
    scores = iter([(0.9, 0.0), (0.2, 0.0), (0.3, 0.0), (0.1, 0.0), (0.1, 0.0)])
    states: list[dict[str, Tensor]] = []

    def validated(average: Classifier, *_: Any) -> dict[str, float]:
        states.append(weights(average))
        return dict(zip(("validation_macro_auprc", "validation_macro_auprc_error"), next(scores), strict=True))

    monkeypatch.setattr("evenray.learning.train.loop.validate", validated)
    settings = replace(SETTINGS, epochs=5, keep="best", patience=1)
    best, history = fit(model(), part(), part(12, 1), settings, Balance(constant_from=0.4), fabric)
    assert len(history) == 4
    assert all(torch.equal(a, b) for a, b in zip(states[2].values(), weights(best).values(), strict=True))


def test_a_loss_that_is_not_finite_names_the_batch(fabric: Machine, tmp_path: Path) -> None:
    calls = iter(range(100))

    def loss(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
        return logits_NK.sum() * (math.nan if next(calls) == 4 else 1.0)

    with pytest.raises(
        TrainingError, match=r"The loss is nan in batch 1 of epoch 2: lower --learning-rate \(now 0.002\)"
    ):
        fit(model(), part(), None, SETTINGS, Balance(loss=loss), fabric, folder=tmp_path)
    assert (tmp_path / "last.pt").exists()


def test_a_gradient_that_is_not_finite_names_the_cases_of_its_batch(fabric: Machine) -> None:
    data = replace(part(30), cases=pl.Series([f"case {i}" for i in range(30)]))
    spoilt = epoch_batches(0, data.targets, 10, SETTINGS.seed, Balance())[2]

    def loss(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
        third = progress == 2 / 3 / SETTINGS.epochs
        return torch.sqrt(logits_NK.square().sum() * 0) if third else logits_NK.square().mean()

    named = ", ".join(f"case {i}" for i in spoilt[:8])
    with pytest.raises(TrainingError, match=rf"gradient is not finite in batch 2 of epoch 1 \({named} and 2 more\)"):
        fit(model(), data, None, replace(SETTINGS, batch=10), Balance(loss=loss), fabric)


@pytest.mark.parametrize("spec", ["vgg11(head=average, width=0.05)", "vgg11_bn(head=average, width=0.05)"])
def test_batches_of_one_train(fabric: Machine, spec: str) -> None:
    trained, _ = fit(model(spec), part(5), None, replace(SETTINGS, epochs=1, batch=1), Balance(), fabric)
    assert all(bool(tensor.isfinite().all()) for tensor in weights(trained).values())


@pytest.mark.parametrize(
    ("n", "batch", "sizes"), [(8, 4, [4, 4]), (9, 4, [4, 4]), (10, 4, [4, 4, 2]), (1, 4, [1]), (3, 1, [1, 1, 1])]
)
def test_a_last_batch_of_one_waits(n: int, batch: int, sizes: list[int]) -> None:
    assert [len(b) for b in cut(np.arange(n), batch)] == sizes


def test_progress_runs_through_training_once_whatever_the_sampler_draws(fabric: Machine) -> None:
    seen: list[float] = []

    def loss(logits_NK: Tensor, targets: Tensor, progress: float) -> Tensor:
        seen.append(progress)
        return logits_NK.square().sum()

    def sampler(targets_N: NDArray[np.int64], *, batch: int, seed: int, epoch: int) -> NDArray[np.int64]:
        return np.arange(8 * (epoch + 1))

    fit(model(), part(), None, SETTINGS, Balance(loss=loss, sampler=sampler), fabric)
    assert len(seen) == 9
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] < 1


def test_the_learning_rate_rises_and_falls_once() -> None:
    rates = np.array([one_cycle(p) for p in np.linspace(0, 1, 101)])
    top = int(rates.argmax())
    assert top == 10
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()


def test_logits_come_in_order_in_any_batches(fabric: Machine) -> None:
    untrained, images = model().eval(), part(10)
    whole = forward(untrained, images, 10, fabric)
    assert whole.shape == (10, 2)
    assert whole.dtype == np.float64
    np.testing.assert_allclose(forward(untrained, images, 3, fabric), whole, atol=1e-2)
    few = Part(images.store, images.rows[[7, 2]], images.targets[[7, 2]])
    np.testing.assert_allclose(forward(untrained, few, 10, fabric), whole[[7, 2]], atol=1e-2)


@pytest.mark.parametrize("shape", [(6, 28, 28), (6, 28, 28, 3)])
@pytest.mark.parametrize(("dtype", "scale"), [(np.uint8, 255), (np.uint16, 65535)])
def test_images_are_in_unit_levels(shape: tuple[int, ...], dtype: Any, scale: int) -> None:
    pixels = np.random.default_rng(0).integers(0, scale + 1, shape).astype(dtype)
    some = Part(Store((pixels,), scale), np.arange(6), np.zeros(6, np.int64))
    x = some.inputs(np.array([4, 1]), torch.device("cpu"))
    expected = (pixels[[4, 1]] / scale).astype(np.float32)
    expected = expected[:, None] if expected.ndim == 3 else expected.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(x.numpy(), expected, atol=1e-6)
    mean, std = statistics(some)
    axes = tuple(range(3))
    np.testing.assert_allclose(mean, np.atleast_1d((pixels / scale).mean(axes)), atol=1e-5)
    np.testing.assert_allclose(std, np.atleast_1d((pixels / scale).std(axes)), rtol=1e-3)


@pytest.mark.parametrize(
    ("device", "said"),
    [("gpu", "There is no device 'gpu'; give auto, cpu, cuda or cuda:1"), ("cuda:x", "There is no device 'cuda:x'"),
     ("cpu:1", "There is no device 'cpu:1'"), ("", "There is no device ''"),
     ("cuda:99", "'cuda:99' is asked for, but torch finds .* GPU of that kind")],
)  # fmt: skip
def test_a_device_that_is_not_there(device: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        machine(device)


def test_batch_normalisation_ends_with_the_statistics_of_the_images_as_they_are(fabric: Machine) -> None:
    data = part(24)
    trained, _ = fit(model("vgg11_bn(head=average, width=0.05)"), data, None, SETTINGS, Balance(), fabric)
    seen: list[Tensor] = []
    first = next(m for m in trained.modules() if isinstance(m, torch.nn.BatchNorm2d))
    first.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    with fabric.autocast():
        trained(data.inputs(np.arange(24), torch.device("cpu")))
    seen = [tensor.float() for tensor in seen]
    assert torch.allclose(first.running_mean, seen[0].mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(first.running_var, seen[0].var((0, 2, 3)), rtol=1e-3, atol=1e-6)


def test_one_process_trains_as_lightnings_fabric_would() -> None:
    """Fabric joins many processes; alone, the same steps are taken without it, to the same weights."""
    from lightning_fabric import Fabric

    for precision in get_args(Precision):
        found = []
        together = Fabric(accelerator="cpu", devices=1, plugins=[plugin("cpu", precision)])
        for kind in (machine("cpu", precision=precision), together):
            own = model().double() if precision == "64-true" else model()
            trained, history = fit(own, part(), part(12, seed=1), SETTINGS, Balance(), kind)
            found.append((trained.state(), history[-1]["train_loss"]))
        (first, loss), (second, other) = found
        assert loss == other
        assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("vendor", "flags", "faster"),
    [
        ("AuthenticAMD", "avx2 avx512f avx512_bf16", True),
        ("AuthenticAMD", "avx2", False),
        ("GenuineIntel", "avx512f avx512_bf16", False),
        ("GenuineIntel", "avx512f avx512_bf16 amx_bf16 amx_tile", True),
    ],
)
def test_bfloat16_is_taken_where_it_is_faster(vendor: str, flags: str, faster: bool) -> None:
    from evenray.learning.train.machine import _fast_in_bf16

    assert _fast_in_bf16(f"vendor_id\t: {vendor}\nflags\t\t: fpu {flags}\n") is faster
