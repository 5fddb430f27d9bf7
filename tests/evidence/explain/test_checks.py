"""The checks of maps: a sound network passes; an untrained one, a map of edges, and planted shortcuts do not."""

from __future__ import annotations

import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evenray.core.artefacts.explained import Attributions, Check
from evenray.core.types import Image
from evenray.data.store import Store
from evenray.evidence.explain import attribute, attributions
from evenray.evidence.explain.checks import (
    Sample,
    check_places,
    check_regions,
    check_removal,
    check_unlearnt,
    check_working,
)
from evenray.evidence.explain.places import Places
from evenray.evidence.explain.randomise import cascade, with_random_labels
from evenray.evidence.explain.removal import SHARES
from evenray.learning.networks import Classifier, build
from evenray.learning.train import Part

from .conftest import squares


def loss(logits: Tensor, targets: Tensor, progress: float) -> Tensor:
    return nn.functional.cross_entropy(logits, targets)


def sample_of(model: Classifier, method: str = "gradcam", number: int = 24) -> tuple[Sample, Tensor]:
    x, targets, masks = squares(2 * number, 1000)
    x, masks = x[targets == 1], masks[targets == 1]
    maps = attribute(model, x, 1, method)
    patients = [f"p{i}" for i in range(number)]
    return Sample(x, torch.ones(number, dtype=torch.long), patients, maps, method, [(32, 32)] * number), masks


def all_checks(model: Classifier, sample: Sample) -> Attributions:
    x, targets, _ = squares(64, 7)
    part = Part(Store(((x[:, 0] * 255).numpy().astype(np.uint8),), 255), np.arange(64), targets.numpy())
    relearnt = [with_random_labels(model, part, loss, sign=sign) for sign in (1, -1)]
    unlearnt, steps = check_unlearnt(model, sample, relearnt)
    hangs, curves = check_removal(model, sample)
    found = [*check_working(model, sample), *unlearnt, *hangs]
    return Attributions(
        method=sample.method, layer="", explains="class", checks=tuple(found), cascade=steps, shares=SHARES, curves=curves,
        entries=(),
    )  # fmt: skip


def test_the_maps_of_a_sound_network_are_believed(trained: Classifier) -> None:
    found = all_checks(trained, sample_of(trained)[0])
    assert found.against == ()
    assert found.believed
    assert next(iter(found.cascade)) == "head"
    assert found.curves["deletion_map"][2] < found.curves["deletion_random"][2]


def test_those_of_an_untrained_network_are_not() -> None:
    model = build("vgg11_bn(width=0.125)", classes=2, channels=1, size=32, mean=[0.3], std=[0.3], seed=3).eval()
    found = all_checks(model, sample_of(model)[0])
    assert not found.believed
    assert {"deletion_random", "insertion_random"} <= set(found.against)


def test_a_map_that_ignores_the_network_fails(trained: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted method that returns the image itself."""
    monkeypatch.setitem(attributions.table, "edges", f"{__name__}:image_itself")
    monkeypatch.setitem(sys.modules, __name__, types.SimpleNamespace(image_itself=image_itself))  # type: ignore[arg-type]
    found = all_checks(trained, sample_of(trained, "edges")[0])
    assert {"weights_randomised", "labels_randomised"} <= set(found.against)
    assert not found.believed


def image_itself(model: Classifier, x_NCHW: Tensor, targets: Tensor, focus_NP: Tensor) -> Tensor:
    return x_NCHW[:, 0]


def test_constant_maps_are_told(trained: Classifier) -> None:
    sample, _ = sample_of(trained)
    flat = replace(sample, maps=np.zeros_like(sample.maps), method="occlusion(window=1)")
    assert "not_constant" in {check.name for check in check_working(trained, flat) if not check.passed}


def test_the_cascade_unlearns_from_the_top_down_and_leaves_the_model_alone(trained: Classifier) -> None:
    before = {name: tensor.clone() for name, tensor in trained.state().items()}
    first = "features.0.weight"
    for step, other in cascade(trained):
        assert torch.equal(other.state()[first], before[first]) is (step != "1")
        assert not torch.equal(other.state()["classifier.6.weight"], before["classifier.6.weight"])
    assert all(torch.equal(before[name], tensor) for name, tensor in trained.state().items())


def test_regions_that_are_known(trained: Classifier) -> None:
    sample, masks = sample_of(trained)
    own = [mask.numpy() for mask in masks]
    found = {check.name: check for check in check_regions(sample, own, list(sample.maps))}
    assert found["pointing"].passed
    assert found["pointing"].value >= 0.8
    assert found["overlap"].value > 3 * own[0].mean()
    elsewhere = [np.roll(mask, 16, (0, 1)) for mask in own]
    assert not next(c for c in check_regions(sample, elsewhere, list(sample.maps)) if c.name == "pointing").passed
    assert check_regions(sample, [None] * len(own), list(sample.maps)) == []


def shortcut(kind: str, number: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noisy films of 112 pixels of which every second has a mark: a stripe at the border, letters, or a blob in the middle."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.3 + 0.2 * torch.rand(number, 1, 112, 112, generator=generator)
    targets = torch.arange(number) % 2
    for i in range(1, number, 2):
        if kind == "border":
            x[i, 0, :4] = 0.9
        elif kind == "text":
            for left in range(20, 60, 5):
                x[i, 0, 30:50, left : left + 2] = 1.0
        else:
            x[i, 0, 40:70, 40:70] += 0.4
    return x, targets


@pytest.mark.parametrize("kind", ["border", "text", "blob"])
def test_a_network_that_looks_at_the_border_or_at_text_is_named(kind: str) -> None:
    model = build("vgg11_bn(width=0.0625)", classes=2, channels=1, size=112, mean=[0.4], std=[0.1]).train()
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for step in range(14):
        x, targets = shortcut(kind, 16, step)
        lost = nn.functional.cross_entropy(model(x), targets)
        optimiser.zero_grad()
        lost.backward()
        optimiser.step()
    x, targets = shortcut(kind, 16, 99)
    with torch.no_grad():  # batch statistics have hardly settled after so few steps
        for _ in range(20):
            model(x)
    model.eval()
    maps = attribute(model, x, targets, "gradcam")
    sample = Sample(x, targets, [str(i) for i in range(16)], maps, "gradcam", [(112, 112)] * 16)
    places = [Places.of(Image((one[0] * 255).numpy().astype(np.uint8), (0, 255)), 112) for one in x]
    checks = {check.name: check for check in check_places(model, sample, places, cover=True)}
    named = {name for name in ("border_covered", "text_covered") if name in checks and checks[name].passed is False}
    assert named == ({f"{kind}_covered"} if kind != "blob" else set())
    assert ("text_share" in checks) is (kind == "text")


def test_of_one_patient_nothing_is_shown(trained: Classifier) -> None:
    sample = replace(sample_of(trained)[0], patients=["one"] * 24)
    checks = check_removal(trained, sample)[0]
    assert all(np.isnan(check.low) and not check.passed for check in checks)


def test_the_rule_needs_every_check() -> None:
    check = Check(
        name="same_twice",
        value=0,
        low=0,
        high=0,
        expected={"code": "x", "values": {}},
        passed=True,
        images=1,
        patients=1,
    )  # type: ignore[arg-type]
    few = Attributions(
        method="", layer="", explains="class", checks=(check,), cascade={}, shares=(), curves={}, entries=()
    )
    assert few.against == ()
    assert not few.believed
