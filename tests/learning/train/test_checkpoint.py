"""Checkpoints within an epoch: a training killed anywhere goes on to the very same end."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenray.learning.balance import make
from evenray.learning.networks import Classifier
from evenray.learning.train import Machine, Settings, fit, machine

from .test_loop import Killed, model, part, same, stop_after, timeless

SETTINGS = Settings(epochs=3, batch=4, learning_rate=2e-3, keep="best", flips=True)


@pytest.fixture(scope="module")
def fabric() -> Machine:
    return machine("cpu")


def train(
    fabric: Machine, folder: Path | None, ticks: int, save_every: float
) -> tuple[Classifier, list[dict[str, float]]]:
    remedy = make("minority_mixup", [16, 8], ("well", "sick"))  # with random mixing, dropout and changes of images
    return fit(
        model("vgg11_bn(width=0.05, head=classical)"), part(24), part(12, 1), SETTINGS, remedy, fabric, folder=folder,
        tick=stop_after(ticks), save_every=save_every,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(fabric: Machine) -> tuple[Classifier, list[dict[str, float]]]:
    return train(fabric, None, 100, 10)


@given(st.lists(st.integers(0, 17), min_size=1, max_size=2), st.sampled_from([0.0, 1e-4, 10.0]))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_killed_anywhere_and_again_it_ends_the_same(
    fabric: Machine, whole: tuple[Classifier, list[dict[str, float]]], tmp_path_factory: pytest.TempPathFactory,
    kills: list[int], save_every: float,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("run")
    for batches in kills:
        with suppress(Killed):  # the second may come after the end
            train(fabric, folder, batches, save_every)
    again, history = train(fabric, folder, 100, save_every)
    assert same(whole[0], again)
    assert [timeless(row) for row in history] == [timeless(row) for row in whole[1]]


def test_it_goes_on_with_the_batch_that_was_next(fabric: Machine, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(fabric, tmp_path, 9, save_every=0)
    position = torch.load(tmp_path / "last.pt", weights_only=True)["position"]
    assert (position["epoch"], position["batch"]) == (1, 4)
    ticks: list[int] = []
    remedy = make("minority_mixup", [16, 8], ("well", "sick"))
    fit(model("vgg11_bn(width=0.05, head=classical)"), part(24), part(12, 1), SETTINGS, remedy, fabric, folder=tmp_path,
        tick=lambda: ticks.append(1))  # fmt: skip
    assert len(ticks) == 18 - 10


def test_within_an_epoch_it_is_written_as_often_as_asked(
    fabric: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 10_000, 61))  # a clock that is asked moves on by 61 seconds
    monkeypatch.setattr(time, "monotonic", lambda: float(next(now)))
    positions: list[int] = []
    monkeypatch.setattr(
        "evenray.learning.train.checkpoint._write",
        lambda folder, state, best: positions.append(state["position"]["batch"]),
    )
    fit(model(), part(24), None, replace(SETTINGS, epochs=1, keep="last"), make("none", [16, 8], ("a", "b")), fabric,
        folder=tmp_path, save_every=2)  # fmt: skip
    assert positions == [2, 4, 0]


def test_a_damaged_checkpoint_is_set_aside(
    fabric: Machine, tmp_path: Path, whole: tuple[Classifier, list[dict[str, float]]]
) -> None:
    with pytest.raises(Killed):
        train(fabric, tmp_path, 9, save_every=0)
    last = tmp_path / "last.pt"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.warns(
        UserWarning, match=r"cannot be read \(.*\); it is set aside as last.pt.damaged, and training starts"
    ):
        again, _ = train(fabric, tmp_path, 100, save_every=10)
    assert same(whole[0], again)
    assert (tmp_path / "last.pt.damaged").stat().st_size == 1000


@pytest.mark.parametrize("harm", ["empty", "short", "one byte", "random", "other keys", "best"])
def test_whatever_is_wrong_with_a_checkpoint_training_starts_anew(
    harm: str, fabric: Machine, tmp_path: Path, whole: tuple[Classifier, list[dict[str, float]]]
) -> None:
    with pytest.raises(Killed):
        train(fabric, tmp_path, 9, save_every=0)
    last = tmp_path / "last.pt"
    content = bytearray(last.read_bytes())
    if harm == "one byte":  # amid the weights, where torch would not notice
        content[len(content) // 2] ^= 1
    if harm == "other keys":
        torch.save({"average": 1}, last)
    elif harm == "best":
        (tmp_path / "best.pt").write_bytes(b"")
    else:
        last.write_bytes({"empty": b"", "short": content[:5000], "random": b"7" * 50_000}.get(harm, content))
    with pytest.warns(UserWarning, match=r"cannot be read \(.+\); it is set aside as last.pt.damaged"):
        again, _ = train(fabric, tmp_path, 100, save_every=10)
    assert same(whole[0], again)


def test_training_stops_when_validation_has_long_not_been_better(
    fabric: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = [0.2, 0.6, 0.6, 0.5, 0.4, 0.9]
    asked = iter(scores)
    monkeypatch.setattr("evenray.learning.train.loop.validate", lambda *_: {"validation_macro_auprc": next(asked)})

    def run() -> list[dict[str, float]]:
        settings = replace(SETTINGS, epochs=6, patience=3)
        remedy = make("none", [16, 8], ("a", "b"))
        return fit(model(), part(24), part(12), settings, remedy, fabric, folder=tmp_path)[1]

    history = run()
    assert [row["validation_macro_auprc"] for row in history] == scores[:5]
    assert run() == history  # and stays stopped
