"""What a network is, apart from its weights: written beside them, and all that is needed to make it again."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from .output import Output

__all__ = ["NetworkDescription", "Pretrained"]

VERSION = 2  # 1 had no `version`, and its VGGs had a global average before the last layer where none was named


class Pretrained(BaseModel):
    """The weight file that a network began from; `fresh` are the tensors that did not come from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    file: str
    sha256: str
    fresh: tuple[str, ...] = ()


class NetworkDescription(BaseModel):
    """What `build` was asked for and what came of it, in model.json and in the metadata of a .safetensors file.

    `mean` and `std` are the preprocessing, one value a channel in unit levels. `grey`: the first layer is a folded one
    for grey images. `attribution_layer` is the layer inside the network whose maps explain a decision. `members`
    counts the networks of one kind that are averaged, `parts` describes those of different kinds; `parameters` are those of
    all together. `scale_jitter` are the scales that it was
    trained at. `output` says whether a soft-max of the logits gives the probabilities of `classes` classes, or a
    sigmoid of each that of a finding.

    >>> about = NetworkDescription(
    ...     spec="vgg16", classes=2, channels=1, size=224, mean=(0.5,), std=(0.25,), attribution_layer="features.29"
    ... )
    >>> NetworkDescription.read(about.model_dump_json()) == about
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: str
    classes: int
    channels: int
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    attribution_layer: str
    seed: int = 0
    grey: bool = False
    pretrained: Pretrained | None = None
    parameters: int = 0
    members: int = 1
    output: Output = "softmax"
    scale_jitter: tuple[float, float] | None = None
    parts: tuple[NetworkDescription, ...] = ()
    version: int = VERSION

    @classmethod
    def read(cls, text: str | bytes) -> NetworkDescription:
        """From JSON; ValueError for what is no description, or is one of another version."""
        try:
            found = cls.model_validate_json(text)
        except ValidationError as error:
            raise ValueError(f"{error.error_count()} of its entries are missing or wrong") from error
        if found.version != VERSION:
            raise ValueError(f"its form is {found.version}, and this evenray reads form {VERSION}")
        return found
