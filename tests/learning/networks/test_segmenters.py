"""U-Net and FCN-8s: parameters counted by hand, sizes of any kind, and what both promise."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn.functional import interpolate

from evenray.core.errors import UsageError
from evenray.learning.networks import average, build, fine_tunings, freeze, load, save, segmenters
from evenray.learning.networks._registry import bound
from evenray.learning.networks.fcn import bilinear

SPECS = [
    "unet('vgg11(width=0.1)')",
    "unet(vgg13_bn(width=0.1))",
    "unet(vgg16_c(width=0.1), batch_norm=True)",
    "unet(vgg13_bn(width=0.1), decoder=0.5)",
    "unet(efficientnet_lite0(width=0.5))",
    "fcn8s(vgg16(width=0.1), dropout=0)",
]


def convolution(inside: int, outside: int, side: int, bias: bool = True) -> int:
    return inside * outside * side * side + outside * bias


VGG16 = sum(
    convolution(inside, outside, 3)
    for inside, outside in [
        (3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512), (512, 512), (512, 512),
        (512, 512), (512, 512), (512, 512),
    ]
)  # fmt: skip


def parameters(spec: str, classes: int, channels: int = 3) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in bound(spec)(classes, channels, 224).parameters())


def test_fcn8s_has_the_papers_parameters() -> None:
    """134.5 million for the 21 classes of VOC (Long 2015, table 1: 134M for FCN-VGG16), counted layer by layer."""
    fc6, fc7 = convolution(512, 4096, 7), convolution(4096, 4096, 1)
    scores = convolution(4096, 21, 1) + convolution(512, 21, 1) + convolution(256, 21, 1)
    ups = 2 * convolution(21, 21, 4, bias=False) + convolution(21, 21, 16, bias=False)
    assert VGG16 == 14_714_688
    assert parameters("fcn8s(vgg16)", 21) == VGG16 + fc6 + fc7 + scores + ups == 134_489_759


def test_unet_on_vgg16_has_the_parameters_that_its_figure_gives() -> None:
    """Each way up: a transposed convolution to the skip's channels, and two convolutions of the joined maps."""
    ways = [(512, 512), (512, 256), (256, 128), (128, 64)]
    up = sum(
        convolution(below, wide, 2) + convolution(2 * wide, wide, 3) + convolution(wide, wide, 3)
        for below, wide in ways
    )
    assert parameters("unet(vgg16)", 2) == VGG16 + up + convolution(64, 2, 1) == 25_854_722


def test_a_narrower_way_up_has_that_share_of_the_channels() -> None:
    """Skips stay as wide as the encoder has them; the encoder's deepest maps too."""
    ways = [(512, 512, 128), (128, 256, 64), (64, 128, 32), (32, 64, 16)]
    up = sum(
        convolution(below, wide, 2) + convolution(skip + wide, wide, 3) + convolution(wide, wide, 3)
        for below, skip, wide in ways
    )
    assert parameters("unet(vgg16, decoder=0.25)", 2) == VGG16 + up + convolution(16, 2, 1)


@pytest.mark.parametrize("share", [0, -1, 5])
def test_the_channels_of_the_way_up_are_bounded(share: float) -> None:
    with pytest.raises(UsageError, match="decoder"):
        build(f"unet(vgg16, decoder={share})", classes=2, channels=1, size=64)


def test_a_unet_of_the_papers_widths_has_the_papers_parameters() -> None:
    """31,030,658 for one channel and two classes: the original's five levels of 64 to 1,024 channels."""
    from torch import nn

    from evenray.learning.networks.pyramid import VGGTrunk
    from evenray.learning.networks.unet import UNet

    layers, before = list[nn.Module](), 1
    with torch.device("meta"):
        for wide in (64, 128, 256, 512, 1024):
            layers += [nn.Conv2d(before, wide, 3, padding=1), nn.ReLU(), nn.Conv2d(wide, wide, 3, padding=1), nn.ReLU()]
            layers.append(nn.MaxPool2d(2, 2))
            before = wide
        network = UNet(VGGTrunk(*layers), 2, batch_norm=False)
    assert sum(p.numel() for p in network.parameters()) == 31_030_658


@pytest.mark.parametrize("spec", SPECS)
def test_scores_have_the_size_of_the_image_whatever_it_is(spec: str) -> None:
    model = build(spec, classes=3, channels=1, size=64).eval()
    for height, width in ((64, 64), (28, 28), (29, 37), (70, 97)):
        x = torch.rand(2, 1, height, width)
        scores = model(x)
        assert scores.shape == (2, 3, height, width)
        assert torch.isfinite(scores).all()
    torch.testing.assert_close(model(x[:1]), scores[:1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("spec", SPECS)
def test_every_parameter_learns(spec: str) -> None:
    model = build(spec, classes=2, channels=1, size=64).train()
    model(torch.rand(2, 1, 64, 64)).log_softmax(1)[:, 0].sum().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()] == []


@pytest.mark.parametrize("spec", [spec for spec in SPECS if "vgg" in spec])
def test_what_a_pixel_says_depends_on_what_lies_there(spec: str) -> None:
    """A change far away moves a score less than one in the place itself: scores are in the image's own places. Fresh EfficientNets
    say nothing here: their deepest maps outweigh all others until they learn, and TensorFlow's padding sets these off."""
    model = build(spec, classes=2, channels=1, size=64).double().eval()
    x = torch.zeros(1, 1, 64, 64, dtype=torch.double, requires_grad=True)
    model(x)[0, 1, 20, 44].backward()
    assert x.grad is not None
    near = x.grad.abs()[0, 0]
    weights = near / near.sum()
    rows, columns = (weights.sum(1 - axis) @ torch.arange(64, dtype=torch.double) for axis in (0, 1))
    assert abs(float(rows) - 20) < 10
    assert abs(float(columns) - 44) < 10


def test_enlarging_begins_as_interpolation() -> None:
    x = torch.rand(1, 1, 9, 9)
    enlarged = torch.nn.functional.conv_transpose2d(x, bilinear(1, 16), stride=8, padding=4)
    wanted = interpolate(x, scale_factor=8, mode="bilinear", align_corners=False)
    torch.testing.assert_close(enlarged[..., 8:-8, 8:-8], wanted[..., 8:-8, 8:-8])


@pytest.mark.parametrize("spec", SPECS)
def test_saved_and_loaded_it_says_the_same(spec: str, tmp_path: Path) -> None:
    model = build(spec, classes=2, channels=1, size=64, seed=3).eval()
    save(model, tmp_path / "model.safetensors")
    again, x = load(tmp_path / "model.safetensors").eval(), torch.rand(1, 1, 64, 64)
    assert torch.equal(again(x), model(x))
    assert torch.equal(build(spec, classes=2, channels=1, size=64, seed=3).eval()(x), model(x))


@pytest.mark.parametrize("spec", SPECS)
def test_the_frozen_encoder_stays(spec: str) -> None:
    model = freeze(build(spec, classes=2, channels=1, size=64), "frozen").train()
    learnt = {name for name, p in model.network.named_parameters() if p.requires_grad}
    assert learnt
    assert not any(name.startswith("features.") for name in learnt)
    assert {name for name, _ in model.network.named_parameters()} - learnt == {
        name for name, _ in model.network.named_parameters() if name.startswith("features.")
    }
    assert "frozen" in fine_tunings


def test_the_average_of_two_is_the_mean_of_their_probabilities() -> None:
    made = [build(SPECS[0], classes=2, channels=1, size=32, seed=seed).eval() for seed in (1, 2)]
    x = torch.rand(2, 1, 40, 33)
    mean = sum(model(x).softmax(1) for model in made) / 2
    torch.testing.assert_close(average(made).eval()(x).softmax(1), mean)


def test_convolutions_of_imagenet_enter_and_the_decoder_stays_fresh(evenray_data: Path) -> None:
    weights = evenray_data / "weights" / "vgg16-imagenet-conv-bgr-fp16.safetensors"
    model = build("unet(vgg16)", classes=2, channels=1, size=64, pretrained=weights)
    about = model.description.pretrained
    assert about is not None
    assert {name.split(".")[0] for name in about.fresh} == {"decoder", "score"}
    assert model(torch.rand(1, 1, 48, 64)).shape == (1, 2, 48, 64)


def test_a_classifiers_whole_file_enters(tmp_path: Path) -> None:
    """Files as torchvision has them, with the head: a U-Net takes the convolutions, FCN-8s fc6 and fc7 too (section 3.1)."""
    vgg = build("vgg16(width=0.25)", classes=1000, channels=3, size=224, seed=1)
    torch.save(vgg.network.state_dict(), tmp_path / "vgg.pth")
    given = f"torchvision:{tmp_path / 'vgg.pth'}"
    unet = build("unet(vgg16(width=0.25))", classes=2, channels=3, size=64, pretrained=given)
    fcn = build("fcn8s(vgg16(width=0.25))", classes=2, channels=3, size=224, pretrained=given)
    taken, here, fully = vgg.network.state_dict(), unet.network.state_dict(), fcn.network.state_dict()
    for name in (name for name in taken if name.startswith("features.")):
        assert torch.equal(here[name], taken[name])
        assert torch.equal(fully[name], taken[name])
    assert unet.description.pretrained is not None
    assert {name.split(".")[0] for name in unet.description.pretrained.fresh} == {"decoder", "score"}
    assert fcn.description.pretrained is not None
    assert not any(name.startswith("classifier.") for name in fcn.description.pretrained.fresh)
    # Where a map is as large as the linear layer's, the convolution says in its middle what the layer said.
    map_NCHW = torch.rand(2, 128, 7, 7)
    middle = fcn.network.get_submodule("classifier.0")(map_NCHW)[..., 3, 3]
    torch.testing.assert_close(middle, vgg.network.get_submodule("classifier.0")(map_NCHW.flatten(1)))


def test_efficientnets_weights_enter_by_their_own_names(tmp_path: Path) -> None:
    colour = build("efficientnet_lite0(width=0.5)", classes=1000, channels=3, size=64, seed=1)
    save(colour, tmp_path / "colour.safetensors")
    # Folded for grey images: its first layer has an offset map.
    lite = build(
        "efficientnet_lite0(width=0.5)", classes=1000, channels=1, size=64, pretrained=tmp_path / "colour.safetensors"
    )
    save(lite, tmp_path / "lite.safetensors")
    model = build(
        "unet(efficientnet_lite0(width=0.5))", classes=2, channels=1, size=64, pretrained=tmp_path / "lite.safetensors"
    )
    taken, here = lite.network.state_dict(), model.network.state_dict()
    inside = [name for name in taken if f"features.{name}" in here]
    assert {name.partition(".")[0] for name in set(taken) - set(inside)} == {"_conv_head", "_bn1", "_fc"}
    assert all(torch.equal(here[f"features.{name}"], taken[name]) for name in inside)
    trunk = model.network.get_submodule("features")
    x = torch.rand(1, 1, 64, 64)
    last = trunk.eval().levels(x)[-1]  # type: ignore[operator]
    whole = lite.network.eval().get_submodule("_bn1")(lite.network.get_submodule("_conv_head")(last)).clamp(0, 6)
    torch.testing.assert_close(lite.network.trunk(x), whole)


@pytest.mark.parametrize("encoder", ["alexnet", "googlenet", "msra"])
def test_what_has_no_halving_pyramid_is_refused(encoder: str) -> None:
    with pytest.raises(UsageError, match="give a VGG"):
        build(f"unet({encoder})", classes=2, channels=1, size=64)


def test_the_table_names_them() -> None:
    assert list(segmenters) == ["unet", "fcn8s"]
