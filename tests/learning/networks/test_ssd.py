"""SSD against what the paper and the authors' code say of it: default boxes, parameters, converted layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from evenray.core.errors import UsageError
from evenray.learning.networks import build, load, save
from evenray.learning.networks.default_boxes import boxes_a_place, default_boxes, scales
from evenray.learning.networks.ssd import SSD, L2Norm, ssd


def on_meta(size: int, trunk: str, classes: int = 20, channels: int = 3) -> SSD:
    with torch.device("meta"):
        return ssd(classes, channels, size, trunk)


def test_ssd300_has_the_papers_default_boxes_and_parameters() -> None:
    model = on_meta(300, "vgg16")
    sides, boxes, sources = (38, 19, 10, 5, 3, 1), (4, 6, 6, 6, 4, 4), (512, 1024, 512, 256, 256, 256)
    assert len(model.defaults.numbers) == sum(side**2 * n for side, n in zip(sides, boxes, strict=True)) == 8732
    assert model(torch.empty(2, 3, 300, 300, device="meta")).shape == (2, 8732, 8 + 21)

    def conv(inputs: int, outputs: int, kernel: int) -> int:
        return inputs * outputs * kernel**2 + outputs

    vgg = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    expected = sum(conv(a, b, 3) for a, b in zip([3, *vgg], vgg, strict=False)) + 512  # and the scale of conv4_3
    expected += conv(512, 1024, 3) + conv(1024, 1024, 1)
    for inputs, narrow, outputs in ((1024, 256, 512), (512, 128, 256), (256, 128, 256), (256, 128, 256)):
        expected += conv(inputs, narrow, 1) + conv(narrow, outputs, 3)
    expected += sum(conv(source, n * (4 + 21), 3) for source, n in zip(sources, boxes, strict=True))
    assert sum(p.numel() for p in model.parameters()) == expected == 26_285_486  # "26.3 M"


def test_ssd512_has_the_papers_number_of_default_boxes() -> None:
    assert len(on_meta(512, "vgg16").defaults.numbers) == 24564


@pytest.mark.parametrize(
    ("size", "trunk", "sides"),
    [(64, "vgg11", (16, 8, 4, 2, 1)), (96, "vgg16_bn", (24, 12, 6, 3, 1)), (128, "vgg19_bn", (32, 16, 8, 4, 2, 1)),
     (160, "vgg13_bn(width=0.25)", (40, 20, 10, 5, 3, 1)), (28, "vgg16_bn", (7, 4, 2, 1))],
)  # fmt: skip
def test_small_images_begin_one_block_lower(size: int, trunk: str, sides: tuple[int, ...]) -> None:
    model = on_meta(size, trunk, classes=2, channels=1)
    expected = sum(side**2 * n for side, n in zip(sides, boxes_a_place(len(sides)), strict=True))
    assert model(torch.empty(2, 1, size, size, device="meta")).shape == (2, expected, 8 + 3)
    assert len(model.defaults.numbers) == expected


def test_default_boxes_are_the_authors() -> None:
    """Of the paper's settings: 30, 60, 111, ... of 300 pixels, the aspect ratios, and the extra square box in between."""
    assert [round(300 * scale) for scale in scales(6, 0.1)] == [30, 60, 111, 162, 213, 264, 315]
    boxes = default_boxes((38, 19, 10, 5, 3, 1))
    first = boxes[:4] * 300
    np.testing.assert_allclose(first[:, :2], 300 / 38 / 2, rtol=1e-5)
    r = np.sqrt(2)
    np.testing.assert_allclose(
        first[:, 2:], [[30, 30], [30 * r, 30 / r], [30 / r, 30 * r], [np.sqrt(1800)] * 2], rtol=1e-5
    )
    second = boxes[38 * 38 * 4 :][:6] * 300
    r3 = np.sqrt(3)
    np.testing.assert_allclose(second[3:5, 2:], [[60 * r3, 60 / r3], [60 / r3, 60 * r3]], rtol=1e-5)
    np.testing.assert_allclose(boxes[-1] * 300, [150, 150, np.sqrt(264 * 315), np.sqrt(264 * 315)], rtol=1e-5)
    places = boxes[: 38 * 38 * 4].reshape(38, 38, 4, 4)
    assert places[0, 1, 0, 0] > places[0, 0, 0, 0]  # columns first
    assert places[0, 1, 0, 1] == places[0, 0, 0, 1]


def test_answers_stand_in_the_order_of_the_default_boxes() -> None:
    """A spot in one corner moves the answers of default boxes there, and hardly those of the other corner."""
    model = ssd(1, 1, 64, "vgg11(width=0.05)")
    model.materialise(0)
    plain = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    spot = plain.clone()
    spot[:, :, 8:16, 40:48] += 3.0
    with torch.no_grad():
        change = (model.eval()(spot) - model(plain)).abs().sum(2)[0, : 16 * 16 * 4].numpy()
    place = change @ model.defaults.numbers[: 16 * 16 * 4, :2] / change.sum()
    np.testing.assert_allclose(place, [44 / 64, 12 / 64], atol=0.1)


def test_l2_norm() -> None:
    norm = L2Norm(3)
    torch.nn.init.constant_(norm.weight, 20.0)
    x = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(norm(x).norm(dim=1), torch.full((2, 4, 5), 20.0))


def test_wide_layers_are_thinned_into_fc6_and_fc7() -> None:
    """Every fourth unit of both layers, and taps 0, 3 and 6 of the 7 x 7; the other tensors stay."""
    model = on_meta(300, "vgg16")
    fc6, fc7 = torch.zeros(4096, 512, 7, 7), torch.zeros(4096, 4096)
    fc6[20, 7, 3, 6], fc7[20, 28] = 1.0, 2.0
    given = {
        "features.0.bias": torch.zeros(64), "classifier.0.weight": fc6.flatten(1), "classifier.0.bias": torch.arange(4096.0),
        "classifier.3.weight": fc7, "classifier.3.bias": torch.arange(4096.0),
    }  # fmt: skip
    taken = model.converted(given)
    here = dict(model.named_parameters())
    for name in ("fc.1.weight", "fc.1.bias", "fc.3.weight", "fc.3.bias"):
        assert taken[name].shape == here[name].shape
    assert taken["fc.1.weight"][5, 7, 1, 2] == 1
    assert taken["fc.3.weight"][5, 7, 0, 0] == 2
    assert taken["fc.1.bias"][3] == taken["fc.3.bias"][3] == 12
    convolutions_only = {"features.0.bias": torch.zeros(64)}
    assert model.converted(convolutions_only) == convolutions_only


def test_other_trunks_and_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match=r"give a VGG"):
        on_meta(128, "googlenet")
    with pytest.raises(UsageError, match=r"64 x 64"):
        on_meta(64, "vgg11")(torch.empty(1, 3, 72, 64, device="meta"))


@pytest.mark.parametrize("channels", [1, 3])
def test_imagenets_convolutions_enter(channels: int, evenray_data: Path) -> None:
    """With the authors' own weights the maps before the fourth pooling are those of VGG16, each place of length 20."""
    weights = evenray_data / "weights" / "vgg16-imagenet-conv-bgr-fp16.safetensors"
    detector = build("ssd(vgg16)", classes=3, channels=channels, size=200, pretrained=weights, output="boxes")
    vgg = build("vgg16(head=average)", classes=3, channels=channels, size=200, pretrained=weights)
    x = torch.rand(1, channels, 200, 200, generator=torch.Generator().manual_seed(0))
    seen: list[torch.Tensor] = []
    detector.network.norms[0].register_forward_hook(lambda module, args, output: seen.append(output))  # type: ignore[union-attr,operator]
    with torch.no_grad():
        detector.eval()(x)
        maps = detector.normalise(x)
        for layer in list(vgg.network.features)[:23]:  # type: ignore[arg-type,union-attr]
            maps = layer(maps)
    torch.testing.assert_close(seen[0], 20 * maps / maps.norm(dim=1, keepdim=True), atol=1e-4, rtol=1e-4)
    assert detector.description.pretrained is not None
    assert "fc.1.weight" in detector.description.pretrained.fresh
    assert "features.28.weight" not in detector.description.pretrained.fresh


def test_a_saved_detector_is_the_same(tmp_path: Path) -> None:
    made = build("ssd(vgg11_bn(width=0.05))", classes=2, channels=1, size=64, output="boxes")
    save(made, tmp_path / "model.safetensors")
    x = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(load(tmp_path / "model.safetensors").eval()(x), made.eval()(x), rtol=0, atol=0)
