"""The rows of the table against the printed one, and the nets that they share."""

from __future__ import annotations

import pytest

from evenray.core.errors import UsageError
from evenray.evidence.table7 import SYSTEMS, chosen, nets_of
from evenray.learning.networks import build
from evenray.learning.networks.anatomy import anatomy
from evenray.learning.tta import check_tta

# Table 7 as it is printed: method, number of nets, top-1 val., top-5 val., top-5 test.
PRINTED = [
    ("VGG", 2, 23.7, 6.8, 6.8),
    ("VGG", 1, 24.4, 7.1, 7.0),
    ("VGG", 7, 24.7, 7.5, 7.3),
    ("GoogLeNet", 1, None, 7.9, None),
    ("GoogLeNet", 7, None, 6.7, None),
    ("MSRA", 11, None, None, 8.1),
    ("MSRA", 1, 27.9, 9.1, 9.1),
    ("Clarifai", 5, None, None, 11.7),  # "multiple nets"
    ("Clarifai", 1, None, None, 12.5),
    ("Zeiler & Fergus", 6, 36.0, 14.7, 14.8),
    ("Zeiler & Fergus", 1, 37.5, 16.0, 16.1),
    ("OverFeat", 7, 34.0, 13.2, 13.6),
    ("OverFeat", 1, 35.7, 14.2, None),
    ("Krizhevsky", 5, 38.1, 16.4, 16.4),
    ("Krizhevsky", 1, 40.7, 18.2, None),
]


def test_the_rows_are_the_printed_ones() -> None:
    assert len(SYSTEMS) == len(PRINTED)
    for system, (method, nets, *published) in zip(SYSTEMS.values(), PRINTED, strict=True):
        assert system.method.startswith(method)
        assert (len(system.nets), list(system.published)) == (nets, published)


def test_the_row_of_one_net_is_the_first_of_the_row_of_several() -> None:
    for name, system in SYSTEMS.items():
        family, _, number = name.rpartition("-")
        if number == "1":
            several = next(s for n, s in SYSTEMS.items() if n.startswith(f"{family}-") and len(s.nets) > 1)
            assert system.nets == several.nets[:1]
            assert system.tta == several.tta


def test_no_net_is_in_a_row_twice_and_shared_ones_are_trained_once() -> None:
    for system in SYSTEMS.values():
        assert len(set(system.nets)) == len(system.nets)
    names = [net.name for net in nets_of(chosen(None))]
    assert len(set(names)) == len(names) == 49


def test_vggs_seven_nets_are_those_of_table_6() -> None:
    found = sorted(net.name for net in SYSTEMS["vgg-7"].nets)
    assert found == [
        "vgg16(head=classical) 256 #0", "vgg16(head=classical) 384 #0", "vgg16(head=classical) [256;512] #0",
        "vgg16_c(head=classical) 256 #0", "vgg16_c(head=classical) 384 #0", "vgg19(head=classical) 256 #0",
        "vgg19(head=classical) 384 #0",
    ]  # fmt: skip


@pytest.mark.parametrize("spec", sorted({net.at(0.05) for net in nets_of(chosen(None))}))
def test_every_net_can_be_built_at_a_width(spec: str) -> None:
    assert build(spec, classes=3, channels=1, size=28).description.spec == spec


@pytest.mark.parametrize("name", SYSTEMS)
def test_images_are_mirrored_only_where_that_is_allowed(name: str) -> None:
    check_tta(SYSTEMS[name].tta_at(False), flips=False)
    with pytest.raises(UsageError, match="exchanges left and right"):
        check_tta(SYSTEMS[name].tta_at(True), flips=False)
    check_tta(SYSTEMS[name].tta_at(True), flips=True)


def test_rows_are_chosen_by_name_or_family() -> None:
    assert [s.name for s in chosen("krizhevsky-1, googlenet")] == ["googlenet-1", "googlenet-7", "krizhevsky-1"]
    with pytest.raises(UsageError, match="There is no system named 'vgg-3'; did you mean vgg-"):
        chosen("vgg-3")
    with pytest.raises(UsageError, match="no system"):
        chosen(" , ")


def test_overfeat_is_evaluated_by_crops_where_its_geometry_would_change() -> None:
    """The side at which its 7 x 7 layer still is unpadded, found on the network itself."""
    system = SYSTEMS["overfeat-1"]
    limit = next(size for size in range(28, 100) if seventh(size) == 0)
    assert system.tta_at(False, limit).startswith("dense")
    assert system.tta_at(False, limit - 1).startswith("multicrop")
    assert (system.evaluation_at(False, 28), system.evaluation_at(False, 224)) == (
        "multi-crop, 4 scales",
        "dense, 4 scales",
    )


def seventh(size: int) -> int | None:
    layers = anatomy(SYSTEMS["overfeat-1"].nets[0].at(0.05), classes=2, channels=1, size=size)
    return next(layer.padding for layer in layers[1:] if layer.kernel == 7)
