"""The figure of a convolution."""

from __future__ import annotations

from xml.etree import ElementTree

import torch

from evenray.evidence.explain import convolution_step
from evenray.learning.networks import build
from evenray.reporting.figures.convolution import convolution

SPACE = "{http://www.w3.org/2000/svg}"


def test_the_drawing_shows_the_numbers_and_hatches_the_padding() -> None:
    model = build("vgg11(width=0.1)", classes=2, channels=1, size=32).eval()
    x_NCHW = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    step = convolution_step(model, x_NCHW, "features.0", 1, 0, 0)
    drawing = ElementTree.fromstring(convolution(step).file())
    texts = [element.text or "" for element in drawing.iter(f"{SPACE}text")]
    assert any(f"= {step.output:.4g}" in text for text in texts)
    assert f"{step.weights[0, 1, 1]:.3f}".replace("-", "−") in texts
    hatched = [rect for rect in drawing.iter(f"{SPACE}rect") if rect.get("fill") == "url(#padding)"]
    assert len(hatched) > 3 * int((~step.inside).sum())
