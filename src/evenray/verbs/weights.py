"""weights: trained weights to start from, kept under names in a cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from evenray.core.artefacts.weight import Weight
from evenray.core.events import Events, Listener, Step
from evenray.core.messages import Message

__all__ = ["weights"]


class Weights:
    """Trained weights by name: `er.weights.list()`, `.get("vgg16_bn")`, `.import_file(path)`; each gives typed records.

    They stand in the folder `weights` of $EVENRAY_CACHE, or of evenray in the user's cache folder; a name is what
    `Recipe(pretrained=...)` takes, and the plan considers those that are at hand.
    """

    def list(self) -> tuple[Weight, ...]:
        """The records of the weights that are at hand."""
        from evenray.learning.networks import catalogue

        return tuple(catalogue.at_hand().values())

    def known(self) -> dict[str, str]:
        """Every other name that evenray knows, with the command that brings the weights."""
        from evenray.learning.networks import catalogue

        return {each.name: each.command for each in catalogue.listed() if each.weight is None}

    def get(self, name: str, *, listener: Listener | None = None) -> Weight:
        """Have weights of a known name, by download where they are not here; each file is checked by its SHA-256.

        Raises UsageError for a name that evenray does not know or does not download, and where $EVENRAY_OFFLINE forbids the
        download; EvenrayError where the net does not answer. Nothing is left half-written.
        """
        from evenray.learning.networks import catalogue

        events, task, came = Events(listener), Message("task.weights", {"name": name}), (0, 0)

        def tick(done: int, total: int | None) -> None:
            nonlocal came
            came = done, total or done
            events.send(Step(task, *came))

        try:
            return catalogue.get(name, tick=tick)
        finally:
            if came != (0, 0):
                events.send(Step(task, *came, ended=True))

    def import_file(
        self, file: str | Path, *, name: str | None = None, network: str | None = None, size: int | None = None,
        mean: Sequence[float] | None = None, std: Sequence[float] | None = None,
        channels: Literal["RGB", "BGR", "grey"] | None = None, licence: str | None = None,
    ) -> Weight:  # fmt: skip
        """Copy a weight file into the cache under a name, with all that it takes to use it, and return its record.

        `file` is a .safetensors, .pth, .pt (tensors alone: no code is ever loaded) or .onnx file, with `torchvision:` or
        `caffe:` before its path where it expects what those do. Files that evenray knows by their SHA-256, and models of
        evenray, need nothing more; for others give `network` (not for ONNX), `mean` and `std` in unit levels, one a channel in
        the order of `channels`. Raises UsageError for what is missing or does not fit, ReadError for a damaged file.
        """
        from evenray.learning.networks.importing import import_weights

        return import_weights(
            file, name=name, network=network, size=size, mean=mean, std=std, channels=channels, licence=licence
        )


weights = Weights()
