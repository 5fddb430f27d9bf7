"""Attribution maps: shape and range, the right place on images whose cause is known, and the sanity checks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from evenray.core.errors import UsageError
from evenray.evidence.explain import attribute, attributions, sanity
from evenray.learning.networks import Classifier, build

METHODS = list(attributions)


@pytest.fixture(scope="module")
def trained() -> Classifier:
    """A small network that has learnt to tell images with a bright square from those without."""
    model = build("vgg11_bn(width=0.125)", classes=2, channels=1, size=32, mean=[0.3], std=[0.3]).train()
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    for step in range(60):
        x, targets, _ = squares(32, step)
        loss = nn.functional.cross_entropy(model(x), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def squares(number: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noise, every second image with a bright square; the images, the classes, the masks of the squares."""
    generator = torch.Generator().manual_seed(seed)
    x, masks = 0.3 * torch.rand(number, 1, 32, 32, generator=generator), torch.zeros(number, 32, 32, dtype=torch.bool)
    targets = torch.arange(number) % 2
    for i in range(1, number, 2):
        top, left = torch.randint(2, 20, (2,), generator=generator).tolist()
        masks[i, top : top + 10, left : left + 10] = True
    x[masks.unsqueeze(1)] += 0.6
    return x, targets, masks


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_shares_of_their_maximum_and_point_at_the_cause(trained: Classifier, method: str) -> None:
    x, targets, masks = squares(16, 1000)
    sick, masks = x[targets == 1], masks[targets == 1]
    maps = torch.from_numpy(attribute(trained, sick, 1, method))
    assert maps.shape == (8, 32, 32)
    assert maps.dtype == torch.float32
    assert float(maps.min()) >= 0
    assert float(maps.max()) == pytest.approx(1)
    near = nn.functional.max_pool2d(masks.float().unsqueeze(1), 5, 1, 2)[:, 0].bool()
    assert float((maps * near).sum() / maps.sum()) > 1.3 * float(near.float().mean())


def test_the_network_explained_has_learnt_the_squares(trained: Classifier) -> None:
    x, targets, _ = squares(64, 2000)
    with torch.no_grad():
        assert float((trained(x).argmax(1) == targets).float().mean()) > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_the_model_is_left_as_it_was(trained: Classifier, method: str) -> None:
    before = {name: tensor.clone() for name, tensor in trained.state().items()}
    trained.train()
    attribute(trained, squares(2, 0)[0], 1, method)
    assert trained.training
    trained.eval()
    assert all(torch.equal(before[name], tensor) for name, tensor in trained.state().items())
    assert all(not module._forward_hooks for module in trained.modules())


def test_one_target_an_image(trained: Classifier) -> None:
    x, _, _ = squares(2, 3)
    both = attribute(trained, x, [0, 1])
    assert both[1] == pytest.approx(attribute(trained, x[1:], 1)[0], abs=1e-4)
    assert both[0] != pytest.approx(attribute(trained, x[:1], 1)[0], abs=1e-2)


def test_wrong_requests_are_refused(trained: Classifier) -> None:
    x, _, _ = squares(2, 3)
    with pytest.raises(UsageError, match="classes 0 to 1"):
        attribute(trained, x, 2)
    with pytest.raises(UsageError, match="no attribution named"):
        attribute(trained, x, 1, "grad_cam")
    with pytest.raises(UsageError, match="no layer"):
        attribute(trained, x, 1, "gradcam(layer='network.nothing')")


@pytest.mark.parametrize("method", ["gradcam", "integrated_gradients(steps=8)"])
def test_a_sound_network_passes_the_sanity_checks(trained: Classifier, method: str) -> None:
    x, targets, _ = squares(16, 1000)
    assert [check.name for check in sanity(trained, x[targets == 1], 1, method) if not check.passed] == []


def test_a_map_that_ignores_the_network_fails_the_sanity_checks(
    trained: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted method that returns the image itself."""
    monkeypatch.setitem(attributions.table, "edges", f"{__name__}:image_itself")
    monkeypatch.setitem(
        __import__("sys").modules, __name__, __import__("types").SimpleNamespace(image_itself=image_itself)
    )
    x, targets, _ = squares(4, 1000)
    failed = [check.name for check in sanity(trained, x[targets == 1], 1, "edges") if not check.passed]
    assert failed == ["other_head", "other_weights"]


def image_itself(model: Classifier, x_NCHW: Tensor, targets: Tensor) -> Tensor:
    return x_NCHW[:, 0]


def test_a_constant_map_fails_the_sanity_checks(trained: Classifier) -> None:
    checks = sanity(trained, torch.zeros(2, 1, 32, 32), 1, "occlusion(window=1)")
    assert not {check.name: check.passed for check in checks}["not_constant"]
