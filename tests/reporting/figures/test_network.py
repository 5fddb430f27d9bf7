"""The figure of a network: every one can be drawn, and to scale."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from evenray.learning.networks.volumes import volumes
from evenray.reporting.figures.network import network

SPACE = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("spec", ["vgg11", "googlenet(width=0.1)", "vgg16(head=classical)"])
def test_a_network_is_drawn_from_the_image_to_the_classes(spec: str) -> None:
    drawing = ElementTree.fromstring(network(volumes(spec, classes=2, channels=1, size=32), "a < b").file())
    titles = [element.text for element in drawing.iter(f"{SPACE}title")]
    assert titles[0] == "image 1 x 32 x 32"
    assert titles[-1] == "linear 2"
    assert drawing.get("aria-label") == "a < b"


def test_the_figure_is_to_scale() -> None:
    drawing = ElementTree.fromstring(network(volumes("vgg16"), "vgg16").file())
    boxes = {
        group.find(f"{SPACE}title").text: group.find(f"{SPACE}rect").attrib  # type: ignore[union-attr]
        for group in drawing.iter(f"{SPACE}g")
    }
    large, small = boxes["convolution 64 x 224 x 224"], boxes["convolution 512 x 14 x 14"]
    assert float(large["height"]) == pytest.approx(16 * float(small["height"]), abs=1)
    assert float(small["width"]) == pytest.approx(8 * float(large["width"]), abs=1)
