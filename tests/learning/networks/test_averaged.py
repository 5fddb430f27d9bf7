"""Networks averaged into one answer as the members' soft-maxes do, whatever is asked of the one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from evenray.core.errors import UsageError
from evenray.evidence.explain import attribute
from evenray.evidence.explain.checks import Sample, check_working
from evenray.learning.networks import Classifier, average, build, load, members, save
from evenray.learning.tta import tta_logits

SPECS = (
    "vgg11_bn(head=average, width=0.1)",
    "vgg11(width=0.1, head=classical)",
    "googlenet(width=0.1)",
    "msra(width=0.1)",
)


def made(spec: str, size: int = 32) -> list[Classifier]:
    found = []
    for seed in (1, 2, 3):
        model = build(spec, classes=3, channels=1, size=size, seed=seed, mean=[0.4], std=[0.3]).eval()
        for name, tensor in model.network.named_parameters():
            if name.rpartition(".")[0] in model.network.outputs and tensor.ndim > 1:
                tensor.data.mul_(100)  # fresh heads say next to nothing
        found.append(model)
    return found


@pytest.mark.parametrize("spec", SPECS)
def test_the_answer_is_the_mean_of_the_soft_maxes(spec: str) -> None:
    several, x = made(spec), torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    one = average(several).eval()
    for view in ("centre", "fivecrop"):
        wanted = torch.stack([tta_logits(each, x, view).softmax(1) for each in several]).mean(0)
        apart = (tta_logits(several[0], x).softmax(1) - wanted).abs().max()
        assert torch.allclose(tta_logits(one, x, view).softmax(1), wanted, atol=1e-5)
        assert apart > 1e-3
    assert torch.allclose(one.head(one.features(x)), one(x), atol=1e-5)
    assert torch.allclose(tta_logits(one, x, "dense(scales=[1])").softmax(1), tta_logits(one, x).softmax(1), atol=1e-4)


def test_a_saved_average_answers_alike_and_knows_its_members(tmp_path: Path) -> None:
    several, x = made(SPECS[0]), torch.rand(2, 1, 32, 32)
    save(average(several), tmp_path / "model.safetensors")
    back = load(tmp_path / "model.safetensors").eval()
    assert torch.equal(back(x), average(several).eval()(x))
    assert back.description.parameters == sum(p.numel() for p in back.parameters())
    for own, member in zip(several, members(back), strict=True):
        assert torch.equal(member(x), own(x))
        assert member.description == own.description.model_copy(update={"seed": 1})


def test_what_differs_is_not_averaged() -> None:
    one = build("vgg11(head=average, width=0.1)", classes=2, channels=1, size=28)
    assert average([one]) is one
    for other, word in (
        (build("vgg11(head=average, width=0.2)", classes=2, channels=1, size=28), "spec"),
        (build("vgg11(head=average, width=0.1)", classes=3, channels=1, size=28), "classes"),
        (build("vgg11(head=average, width=0.1)", classes=2, channels=1, size=28, mean=[0.1], std=[1.0]), "mean"),
    ):
        with pytest.raises(UsageError, match=word):
            average([one, other])


def test_it_is_explained_by_all_its_members() -> None:
    several, x = made(SPECS[0]), torch.rand(2, 1, 32, 32)
    one = average(several)
    found = attribute(one, x, 1)
    assert found.shape == (2, 32, 32)
    assert found.max() == 1
    assert any(abs(found - attribute(each, x, 1)).max() > 0.05 for each in several)
    sample = Sample(x, torch.ones(2, dtype=torch.long), ("a", "b"), found, "gradcam", [(32, 32)] * 2)
    assert all(check.passed for check in check_working(one, sample))


@pytest.mark.parametrize("view", ["centre", "flips", "dense(scales=[1, 1.5])"])
def test_of_findings_sigmoids_are_averaged(view: str, tmp_path: Path) -> None:
    made = [
        build("vgg11(width=0.1)", classes=3, channels=1, size=28, seed=seed, output="sigmoid").eval() for seed in (1, 2)
    ]
    whole = average(made).eval()
    x = torch.rand(4, 1, 28, 28)
    save(whole, tmp_path / "model.safetensors")
    with torch.no_grad():
        mean = (made[0](x).sigmoid() + made[1](x).sigmoid()) / 2
        assert torch.allclose(whole(x).sigmoid(), mean, atol=1e-6)
        assert torch.equal(load(tmp_path / "model.safetensors").eval()(x), whole(x))
        here, mirrored = whole(x).sigmoid(), whole(x.flip(3)).sigmoid()
    said = tta_logits(whole, x, view).sigmoid()
    assert said.shape == (4, 3)
    if view == "flips":
        assert torch.allclose(said, (here + mirrored) / 2, atol=1e-6)


def test_one_finding_alone_is_enough_and_one_class_is_not() -> None:
    assert build("vgg11(width=0.1)", classes=1, channels=1, size=28, output="sigmoid")(
        torch.zeros(2, 1, 28, 28)
    ).shape == (2, 1)
    with pytest.raises(UsageError, match="at least 2"):
        build("vgg11(width=0.1)", classes=1, channels=1, size=28)
