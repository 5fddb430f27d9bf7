"""The page that looks into a network shows the pixels themselves."""

from __future__ import annotations

import base64
import csv
import re
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import torch

from evenray.evidence.explain.network_view import view
from evenray.learning.networks import build
from evenray.reporting.layers import layers_page


def test_a_patch_shows_the_pixels_of_its_image(tmp_path: Path) -> None:
    model = build("vgg11(width=0.1)", classes=2, channels=1, size=32).eval()
    found = view(model, torch.rand(5, 1, 32, 32, generator=torch.Generator().manual_seed(0)))
    assert found.patches is not None
    page = layers_page(tmp_path / "page.html", found).read_text(encoding="utf-8")
    section = page[page.index('<section id="patches"') :]
    shown = re.findall(r'<img src="data:image/png;base64,([^"]+)"', section)
    patches = [patch for rows in found.patches.values() for some in rows.values() for patch in some]
    assert len(shown) == len(patches)
    for text, patch in zip(shown, patches, strict=True):
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_GRAYSCALE)
        np.testing.assert_array_equal(picture, np.clip(patch.pixels[0] * 255, 0, 255).astype(np.uint8))


def test_its_drawings_can_be_saved_and_the_numbers_are_those_of_the_convolution(tmp_path: Path) -> None:
    model = build("vgg11(width=0.1)", classes=2, channels=1, size=32).eval()
    found = view(model, torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)), trained=None)
    page = layers_page(tmp_path / "page.html", found).read_text(encoding="utf-8")
    tables = [read(unquote(text)) for text in re.findall(r'href="data:text/csv;charset=utf-8,([^"]+)"', page)]
    assert page.count('data-save="svg"') == page.count('class="drawing"') == len(tables) == 1 + len(found.steps)
    assert int(tables[0]["maps"][0]) == 1
    for table, step in zip(tables[1:], found.steps, strict=True):
        products = np.array(table["products"], float)
        best = np.abs(step.products.sum((1, 2))).argmax()
        np.testing.assert_allclose(products, step.products[best].ravel(), rtol=1e-4, atol=1e-6)


def read(text: str) -> dict[str, list[str]]:
    """A CSV text by columns."""
    rows = list(csv.DictReader(text.removeprefix("\ufeff").splitlines()))
    return {name: [row[name] for row in rows] for name in rows[0]}
