"""layers: a look into a network, its page written."""

from __future__ import annotations

from pathlib import Path

from evenray.core.events import Events, Listener
from evenray.evidence.explain.network_view import NetworkView
from evenray.evidence.explain.network_view import layers as look_into
from evenray.reporting.layers import layers_page

__all__ = ["NetworkView", "layers"]


def layers(
    network: str | Path, image: str | Path | None = None, output: str | Path | None = None, *, pretrained: str | Path | None = None,
    size: int = 224, seed: int = 0, lang: str = "en", listener: Listener | None = None,
) -> tuple[NetworkView, Path]:  # fmt: skip
    """Look into a network: its layers, filters, a convolution step by step, feature maps and exciting patches.

    `network` is a spec such as "vgg16", a model's .safetensors file or a run folder; `image` an image or a folder of images to
    show the layers on (a run shows training images of its own); `output` the page, by default layers.html, or a folder for it.
    Returns what was found, and the page.
    """
    found = look_into(network, image, pretrained=pretrained, size=size, seed=seed)
    events = Events(listener)
    for reason in found.rejected:
        events.tell("layers.rejected", "warning", reason=reason)
    page = Path(output or "layers.html")
    return found, layers_page(page / "layers.html" if page.is_dir() else page, found, language=lang)
