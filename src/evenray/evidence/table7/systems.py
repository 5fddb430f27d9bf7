"""The systems of Table 7 of the VGG paper (Simonyan & Zisserman, arXiv:1409.1556): nets, evaluation, published errors.

The nets of a row are a row's own: spec, training scale and seed. Rows share nets wherever the papers' systems do: the
row of one net is the first member of the row of several, and a net is trained once however many rows it is in.
Training scales are multiples of the training size: 256 pixels of 224 are 8/7.

What the papers do not tell, or what is done otherwise here, stands in `notes` by name; the report has a sentence for each
name in every language. Mirror images, which every paper uses, are shown only where the user allows flips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evenray.core.errors import unknown_name
from evenray.core.spec import Step

__all__ = ["SYSTEMS", "Net", "System", "chosen", "nets_of"]

S256, S384, JITTERED = (8 / 7, 8 / 7), (12 / 7, 12 / 7), (8 / 7, 16 / 7)
PATCHES = (1.0, 2.0)  # GoogLeNet's patches of a quarter to the whole of the image; its paper goes down to 8 %


@dataclass(frozen=True)
class Net:
    """One network to train: its spec at full width, the scales (low, high) of its training crops, its seed's offset."""

    spec: str
    scale: tuple[float, float] = S256
    seed: int = 0

    @property
    def name(self) -> str:
        """What tells it from all others: spec, training pixels of 224, seed.

        >>> Net("vgg16(head=classical)", JITTERED).name, Net("msra", seed=3).name
        ('vgg16(head=classical) [256;512] #0', 'msra 256 #3')
        """
        low, high = (round(224 * scale) for scale in self.scale)
        return f"{self.spec} {low if low == high else f'[{low};{high}]'} #{self.seed}"

    def at(self, width: float) -> str:
        """The spec at a width.

        >>> Net("msra").at(0.25), Net("msra(base=zf5)").at(0.25), Net("msra").at(1)
        ('msra(width=0.25)', 'msra(base=zf5, width=0.25)', 'msra')
        """
        if width == 1:
            return self.spec
        return f"{self.spec[:-1]}, width={width:g})" if self.spec.endswith(")") else f"{self.spec}(width={width:g})"


@dataclass(frozen=True)
class System:
    """A row: `tta` is a spec of learning/tta.py, to be mirrored where flips are allowed; `published` are the paper's errors in
    per cent (top-1 validation, top-5 validation, top-5 test), None where it has none. `small`, where there is one, is a size
    in pixels and what replaces `evaluation` and `tta` for images below it."""

    name: str
    method: str
    nets: tuple[Net, ...]
    evaluation: str
    tta: str
    published: tuple[float | None, float | None, float | None]
    notes: tuple[str, ...] = ()
    small: tuple[int, str, str] | None = None

    def tta_at(self, flips: bool, size: int = 224) -> str:
        """The test-time augmentation at a training size, with or without mirror images.

        >>> SYSTEMS["krizhevsky-1"].tta_at(True), SYSTEMS["vgg-7"].tta_at(False)
        ('fivecrop(flip=True)', 'dense')
        """
        tta = self.small[2] if self.small and size < self.small[0] else self.tta
        return " | ".join(_mirrored(step) for step in tta.split(" | ")) if flips else tta

    def evaluation_at(self, flips: bool, size: int = 224) -> str:
        """The evaluation in words, as it is done at a training size, with or without mirror images.

        >>> SYSTEMS["krizhevsky-1"].evaluation_at(True), SYSTEMS["krizhevsky-1"].evaluation_at(False)
        ('10 crops', '5 crops')
        """
        evaluation = self.small[1] if self.small and size < self.small[0] else self.evaluation
        return evaluation if flips else evaluation.replace("10 crops", "5 crops")


def _mirrored(step: str) -> str:
    return f"{step[:-1]}, flip=True)" if step.endswith(")") else f"{step}(flip=True)"


def _seeds(number: int, spec: str, scale: tuple[float, float] = S256, first: int = 0) -> tuple[Net, ...]:
    return tuple(Net(spec, scale, first + i) for i in range(number))


C, D, E = "vgg16_c(head=classical)", "vgg16(head=classical)", "vgg19(head=classical)"
VGG_2 = (Net(E, JITTERED), Net(D, JITTERED))
# Table 6 of the paper: D at 256, 384 and [256; 512], C at 256 and 384, E at 256 and 384.
VGG_7 = (Net(D, S256), Net(D, S384), Net(D, JITTERED), Net(C, S256), Net(C, S384), Net(E, S256), Net(E, S384))
GOOGLENET = _seeds(7, "googlenet", PATCHES)
MSRA = (*_seeds(5, "msra"), *_seeds(3, "msra(base=overfeat5)"), *_seeds(3, "msra(base=zf5)"))
CLARIFAI = _seeds(5, "clarifai", first=10)
# Table 2 of their paper: (b) alone, and five (a) with it.
ZEILER_FERGUS = (Net("zeiler_fergus(maps=b)"), *_seeds(5, "zeiler_fergus"))
OVERFEAT = _seeds(7, "overfeat_accurate")
KRIZHEVSKY = _seeds(5, "krizhevsky")

BOTH, DENSE = "multicrop | dense", "dense"
FOUR_SCALES = "multicrop(grid=3, scales=[1.143, 1.286, 1.429, 1.571])"  # 256, 288, 320, 352 of 224
SIX_SCALES = "multicrop(grid=3, scales=[1, 1.143, 1.339, 1.607, 2, 2.5]) | dense(scales=[1.143])"  # 224 ... 560 of 224
FINE = "dense(scales=[1.109, 1.271, 1.434, 1.76])"  # 245, 281, 317, 389 of 221
# Under 53 pixels OverFeat's 7 x 7 layer is padded to keep a map alive, and the whole image would look unlike the crops.
FINE_SMALL = (53, "multi-crop, 4 scales", "multicrop(grid=3, scales=[1.109, 1.271, 1.434, 1.76])")
TEN = "fivecrop"

_ROWS = (
    System("vgg-2", "VGG", VGG_2, "multi-crop & dense", BOTH, (23.7, 6.8, 6.8)),
    System("vgg-1", "VGG", VGG_2[:1], "multi-crop & dense", BOTH, (24.4, 7.1, 7.0)),
    System("vgg-7", "VGG (ILSVRC submission)", VGG_7, "dense", DENSE, (24.7, 7.5, 7.3)),
    System("googlenet-1", "GoogLeNet (Szegedy et al., 2014)", GOOGLENET[:1], "multi-crop, 4 scales", FOUR_SCALES,
           (None, 7.9, None), ("googlenet",)),
    System("googlenet-7", "GoogLeNet (Szegedy et al., 2014)", GOOGLENET, "multi-crop, 4 scales", FOUR_SCALES,
           (None, 6.7, None), ("googlenet",)),
    System("msra-11", "MSRA (He et al., 2014)", MSRA, "multi-crop, 6 scales & whole", SIX_SCALES,
           (None, None, 8.1), ("msra",)),
    System("msra-1", "MSRA (He et al., 2014)", MSRA[:1], "multi-crop, 6 scales & whole", SIX_SCALES, (27.9, 9.1, 9.1)),
    System("clarifai-5", "Clarifai (Russakovsky et al., 2014)", CLARIFAI, "10 crops", TEN,
           (None, None, 11.7), ("clarifai",)),
    System("clarifai-1", "Clarifai (Russakovsky et al., 2014)", CLARIFAI[:1], "10 crops", TEN,
           (None, None, 12.5), ("clarifai",)),
    System("zeiler-fergus-6", "Zeiler & Fergus (2013)", ZEILER_FERGUS, "10 crops", TEN, (36.0, 14.7, 14.8)),
    System("zeiler-fergus-1", "Zeiler & Fergus (2013)", ZEILER_FERGUS[:1], "10 crops", TEN, (37.5, 16.0, 16.1)),
    System("overfeat-7", "OverFeat (Sermanet et al., 2014)", OVERFEAT, "dense, 4 scales", FINE,
           (34.0, 13.2, 13.6), ("overfeat",), FINE_SMALL),
    System("overfeat-1", "OverFeat (Sermanet et al., 2014)", OVERFEAT[:1], "dense, 4 scales", FINE,
           (35.7, 14.2, None), ("overfeat",), FINE_SMALL),
    System("krizhevsky-5", "Krizhevsky et al. (2012)", KRIZHEVSKY, "10 crops", TEN, (38.1, 16.4, 16.4)),
    System("krizhevsky-1", "Krizhevsky et al. (2012)", KRIZHEVSKY[:1], "10 crops", TEN, (40.7, 18.2, None)),
)  # fmt: skip
SYSTEMS = {system.name: system for system in _ROWS}


def chosen(names: str | None) -> tuple[System, ...]:
    """The systems of a list such as `vgg-2, googlenet-1`, in the order of the table; a family (`vgg`) names all its rows.

    >>> [system.name for system in chosen("vgg, krizhevsky-1")]
    ['vgg-2', 'vgg-1', 'vgg-7', 'krizhevsky-1']
    """
    if names is None:
        return tuple(SYSTEMS.values())
    families = {name.rpartition("-")[0] for name in SYSTEMS}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in SYSTEMS and name not in families:
            raise unknown_name("system", name, [*SYSTEMS, *sorted(families)])
    if not wanted:
        raise unknown_name("system", names, SYSTEMS)
    return tuple(s for s in SYSTEMS.values() if s.name in wanted or s.name.rpartition("-")[0] in wanted)


def nets_of(systems: Sequence[System]) -> tuple[Net, ...]:
    """Every net that the systems need, once, those of the first rows first.

    >>> len(nets_of(chosen(None))), len(nets_of(chosen("vgg-1, vgg-2")))
    (49, 2)
    """
    return tuple(dict.fromkeys(net for system in systems for net in system.nets))


def family(net: Net) -> str:
    """The name of a net's architecture."""
    return Step.of(net.spec).name
