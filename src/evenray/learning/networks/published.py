"""Parameters and multiply-adds of the networks as they were published, beside ours.

Sources: torchvision's metadata (num_params, _ops) for its networks, the papers' tables and Caffe's model zoo for the rest;
what was published rounded stands rounded here, what was not is None.
"""

from __future__ import annotations

from dataclasses import dataclass

from .anatomy import anatomy, totals

__all__ = ["PUBLISHED", "Published", "as_text", "counts"]


@dataclass(frozen=True)
class Published:
    """What was published of a network for 1000 classes of colour images of `size` pixels."""

    spec: str
    size: int
    parameters: str | None
    multiply_adds: str | None
    source: str


PUBLISHED = (
    Published("vgg11", 224, "132,863,336", "7.609 G", "torchvision; VGG paper, Table 2: 133 M"),
    Published("vgg11_bn", 224, "132,868,840", "7.609 G", "torchvision"),
    Published("vgg11_lrn", 224, "133 M", None, "VGG paper, Table 2"),
    Published("vgg13", 224, "133,047,848", "11.308 G", "torchvision; VGG paper, Table 2: 133 M"),
    Published("vgg13_bn", 224, "133,053,736", "11.308 G", "torchvision"),
    Published("vgg16_c", 224, "134 M", None, "VGG paper, Table 2"),
    Published("vgg16", 224, "138,357,544", "15.470 G", "torchvision; VGG paper, Table 2: 138 M"),
    Published("vgg16_bn", 224, "138,365,992", "15.470 G", "torchvision"),
    Published("vgg19", 224, "143,667,240", "19.632 G", "torchvision; VGG paper, Table 2: 144 M"),
    Published("vgg19_bn", 224, "143,678,248", "19.632 G", "torchvision"),
    Published("alexnet", 224, "61,100,840", "0.714 G", "torchvision"),
    Published("krizhevsky", 224, "60,965,224", "0.724 G", "Caffe's bvlc_alexnet; paper: 60 M"),
    Published("zeiler_fergus", 224, "62,357,608", None, "Figure 3, by hand"),
    Published("zeiler_fergus(maps=b)", 224, "107,627,624", None, "Table 2 (b), by hand"),
    Published("clarifai", 224, None, None, "not published"),
    Published("overfeat_fast", 231, "145 M", "2.810 G", "OverFeat paper, Table 4"),
    Published("overfeat_accurate", 221, "144 M", "5.369 G", "OverFeat paper, Table 4"),
    Published("msra", 224, None, None, "not published"),
    Published("googlenet", 224, "6,998,552", "1.5 G", "Caffe's bvlc_googlenet; paper, section 1"),
    Published("googlenet_bn", 224, "6,624,904", "1.498 G", "torchvision"),
)


def counts() -> list[tuple[Published, int, int]]:
    """Every network with our own parameters and multiply-adds."""
    found = []
    for one in PUBLISHED:
        ours = totals(anatomy(one.spec, size=one.size))
        found.append((one, ours["parameters"], ours["multiply_adds"]))
    return found


def as_text() -> str:
    """The table in Markdown.

    >>> as_text().splitlines()[8]
    '| vgg16 | 224 | 138,357,544 | 15.470 G | 138,357,544 | 15.470 G | torchvision; VGG paper, Table 2: 138 M |'
    """
    heads = ("Network", "Pixels", "Parameters", "Multiply-adds", "Published", "Published", "Source")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for one, parameters, multiply_adds in counts():
        ours = f"{parameters:,} | {multiply_adds / 1e9:.3f} G"
        theirs = f"{one.parameters or '-'} | {one.multiply_adds or '-'}"
        lines.append(f"| {one.spec} | {one.size} | {ours} | {theirs} | {one.source} |")
    return "\n".join(lines)
