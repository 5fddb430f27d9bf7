"""Parameters and multiply-adds against the published ones (weights and biases; convolutions and linear layers)."""

from __future__ import annotations

import pytest
import torch

from evenray.learning.networks import networks
from evenray.learning.networks.anatomy import anatomy, totals

# spec, pixels, parameters, multiply-adds. Sources: torchvision's metadata (num_params, _ops) for its eleven networks;
# the layers of the papers' tables, worked out by hand, for the rest.
PUBLISHED = [
    ("vgg11(head=classical)", 224, 132_863_336, 7_609_090_048),
    ("vgg11_bn(head=classical)", 224, 132_868_840, 7_609_090_048),
    ("vgg11_lrn(head=classical)", 224, 132_863_336, 7_609_090_048),
    ("vgg13(head=classical)", 224, 133_047_848, 11_308_466_176),
    ("vgg13_bn(head=classical)", 224, 133_053_736, 11_308_466_176),
    ("vgg16_c(head=classical)", 224, 133_638_952, 11_770_888_192),
    ("vgg16(head=classical)", 224, 138_357_544, 15_470_264_320),
    ("vgg16_bn(head=classical)", 224, 138_365_992, 15_470_264_320),
    ("vgg19(head=classical)", 224, 143_667_240, 19_632_062_464),
    ("vgg19_bn(head=classical)", 224, 143_678_248, 19_632_062_464),
    ("alexnet", 224, 61_100_840, 714_188_480),
    ("krizhevsky", 224, 60_965_224, 724_406_816),
    ("zeiler_fergus", 224, 62_357_608, 1_168_032_896),
    ("zeiler_fergus(maps=b)", 224, 107_627_624, 2_476_704_896),
    ("clarifai", 224, 107_627_624, 2_476_704_896),
    ("overfeat_fast", 231, 145_920_872, 2_801_403_904),
    ("overfeat_accurate", 221, 144_656_488, 5_355_446_784),
    ("googlenet", 224, 6_998_552, 1_582_671_872),
    ("googlenet_bn", 224, 6_624_904, 1_498_376_192),
]


@pytest.mark.parametrize(("spec", "size", "parameters", "multiply_adds"), PUBLISHED)
def test_counts_are_the_published_ones(spec: str, size: int, parameters: int, multiply_adds: int) -> None:
    found = totals(anatomy(spec, size=size))
    assert (found["parameters"], found["multiply_adds"]) == (parameters, multiply_adds)


@pytest.mark.parametrize(
    ("spec", "size", "millions"),
    [
        # VGG paper, Table 2
        ("vgg11(head=classical)", 224, 133),
        ("vgg11_lrn(head=classical)", 224, 133),
        ("vgg13(head=classical)", 224, 133),
        ("vgg16_c(head=classical)", 224, 134),
        ("vgg16(head=classical)", 224, 138),
        ("vgg19(head=classical)", 224, 144),
        # OverFeat paper, Table 4 (cut, not rounded)
        ("overfeat_fast", 231, 145),
        ("overfeat_accurate", 221, 144),
    ],
)
def test_the_papers_own_round_figures(spec: str, size: int, millions: int) -> None:
    parameters = totals(anatomy(spec, size=size))["parameters"]
    assert millions in (round(parameters / 1e6), parameters // 10**6)


def test_overfeat_connections_are_within_a_third_of_a_per_cent_of_its_table_4() -> None:
    for spec, size, published in (("overfeat_fast", 231, 2810e6), ("overfeat_accurate", 221, 5369e6)):
        assert totals(anatomy(spec, size=size))["multiply_adds"] == pytest.approx(published, rel=0.0035)


def test_msra_adds_the_pyramid_to_its_trunk() -> None:
    """Convolutions of Table 1, then 50 bins of 512 maps into 4096, 4096, 1000."""
    trunk = 96 * (147 + 1) + 256 * (2400 + 1) + 512 * (2304 + 1) + 4 * 512 * (4608 + 1)
    head = 4096 * (50 * 512 + 1) + 4096 * 4097 + 1000 * 4097
    assert totals(anatomy("msra"))["parameters"] == trunk + head


@pytest.mark.parametrize(
    ("spec", "maps"),
    [
        ("msra", {"features.2": (96, 36, 36), "features.6": (256, 18, 18), "features.16": (512, 18, 18)}),
        ("msra(base=zf5)", {"features.3": (96, 55, 55), "features.4": (256, 27, 27), "features.7": (256, 13, 13)}),
        ("zeiler_fergus", {"features.0": (96, 110, 110), "features.2": (96, 55, 55), "features.4": (256, 26, 26)}),
        ("krizhevsky", {"features.0": (96, 55, 55), "features.4": (256, 27, 27), "features.14": (256, 6, 6)}),
    ],
)
def test_map_sizes_are_those_of_the_papers(spec: str, maps: dict[str, tuple[int, ...]]) -> None:
    outputs = {layer.name: layer.output for layer in anatomy(spec)}
    assert {name: outputs[name] for name in maps} == maps


def test_auxiliary_heads_are_counted_by_torchvision_too() -> None:
    with torch.device("meta"):
        network = networks["googlenet_bn"](1000, 3, 224)
    assert sum(p.numel() for p in network.parameters()) == 13_004_888


def test_grey_images_cost_a_third_of_the_first_layer() -> None:
    colour, grey = (anatomy("vgg16", channels=channels)[0].multiply_adds for channels in (3, 1))
    assert colour == 3 * grey
