"""Attribution maps: shape and range, the right place on images whose cause is known; equal to captum's and to a network worked out
by hand."""

from __future__ import annotations

import captum.attr as captum
import pytest
import torch
from torch import Tensor, nn

from evenray.core.errors import UsageError
from evenray.evidence.explain import attribute, attributions
from evenray.evidence.explain.answers import subject
from evenray.evidence.explain.attribution import raw_attribution
from evenray.learning.networks import Classifier, build
from evenray.learning.networks.description import NetworkDescription

from .conftest import squares

METHODS = list(attributions)


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


def squares_of(model: Classifier) -> tuple[Tensor, Tensor]:
    x, targets, _ = squares(6, 4)
    return x.clone().requires_grad_(True), targets


def test_grad_cam_is_captums(trained: Classifier) -> None:
    x, targets = squares_of(trained)
    layer = trained.get_submodule(trained.attribution_layer)
    theirs = captum.LayerGradCam(trained, layer).attribute(x, targets, relu_attributions=True)
    theirs = nn.functional.interpolate(theirs, (32, 32), mode="bilinear")[:, 0].detach()
    assert torch.allclose(raw_attribution(trained, x, targets, "gradcam"), theirs, atol=1e-6)


def test_gradient_times_activation_is_captums(trained: Classifier) -> None:
    x, targets = squares_of(trained)
    layer = trained.get_submodule("network.features.4")
    theirs = captum.LayerGradientXActivation(trained, layer).attribute(x, targets).sum(1, keepdim=True)
    theirs = nn.functional.interpolate(theirs, (32, 32), mode="bilinear")[:, 0].detach()
    ours = raw_attribution(trained, x, targets, "layer_attribution(layer='network.features.4')")
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_integrated_gradients_and_occlusion_are_captums(trained: Classifier) -> None:
    x, targets = squares_of(trained)
    theirs = captum.IntegratedGradients(trained).attribute(x, target=targets, n_steps=8).sum(1).detach()
    assert torch.allclose(raw_attribution(trained, x, targets, "integrated_gradients(steps=8)"), theirs, atol=1e-5)
    found = captum.Occlusion(trained).attribute(x, (1, 8, 8), (1, 4, 4), baselines=0.5, target=targets).sum(1)
    assert torch.allclose(raw_attribution(trained, x, targets, "occlusion(window=0.25)"), found.detach(), atol=1e-5)


class ByHand(nn.Module):
    """One 1 x 1 convolution to two maps, an average, a linear layer: worked out on paper."""

    of_pixels = False

    def __init__(self) -> None:
        super().__init__()
        self.maps, self.activation, self.last = nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.maps.weight.copy_(torch.tensor([1.0, 2.0]).view(2, 1, 1, 1))
            self.last.weight.copy_(torch.tensor([[1.0, 1.0], [3.0, -1.0]]))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.activation(self.maps(x)).mean((2, 3)))


@pytest.fixture
def by_hand() -> Classifier:
    about = NetworkDescription(
        spec="by hand", classes=2, channels=1, size=2, mean=(0.0,), std=(1.0,), attribution_layer="activation"
    )
    return Classifier(ByHand(), about)  # type: ignore[arg-type]


X = torch.tensor(
    [[[[1.0, 0.0], [0.5, 0.25]]]]
)  # maps A1 = x and A2 = 2x; gradients of class 1 are 3/4 and -1/4 everywhere


@pytest.mark.parametrize(
    ("method", "share"),
    [
        ("gradcam", 3 / 4 - 2 / 4),  # sum of w_k A_k: 3/4 x - 1/4 2x
        ("layer_attribution", 3 / 4 - 2 / 4),  # the same place by place
        ("integrated_gradients(steps=4)", 3 / 4 - 2 / 4),  # linear: gradient times x
    ],
)
def test_a_network_worked_out_by_hand(by_hand: Classifier, method: str, share: float) -> None:
    assert torch.allclose(raw_attribution(by_hand, X, 1, method), share * X[:, 0], atol=1e-6)


def test_grad_cam_plus_plus_by_hand(by_hand: Classifier) -> None:
    """Equation 19: alpha_k = g^2 / (2 g^2 + sum(A_k) g^3), the same everywhere; weights are 4 alpha g where g is positive."""
    g, total = 3 / 4, 1.75
    weight = 4 * g * g**2 / (2 * g**2 + total * g**3)
    assert torch.allclose(raw_attribution(by_hand, X, 1, "gradcam_plus_plus"), weight * X[:, 0], atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("spec", "output"), [("unet('vgg11(width=0.1)')", "softmax"), ("ssd('vgg11(width=0.1)')", "boxes")]
)
def test_masks_and_boxes_are_explained_as_well(spec: str, output: str, method: str) -> None:
    model = build(spec, classes=3, channels=1, size=64, output=output)  # type: ignore[arg-type]
    assert subject(model) == ("pixels" if output == "softmax" else "box")
    spec = {"occlusion": "occlusion(window=0.5)", "integrated_gradients": "integrated_gradients(steps=2)"}.get(
        method, method
    )
    assert attribute(model, torch.rand(2, 1, 64, 64), [0, 1], spec).shape == (2, 64, 64)
    if method != "gradcam":  # whose maps are cut at 0
        assert float(raw_attribution(model, torch.rand(2, 1, 64, 64), [0, 1], spec).abs().amax((1, 2)).min()) > 0
    with pytest.raises(UsageError, match="classes 0 to 1" if output == "softmax" else "classes 0 to 2"):
        attribute(model, torch.rand(1, 1, 64, 64), 3)
