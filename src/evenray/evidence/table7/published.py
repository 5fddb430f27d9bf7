"""What was published on ImageNet's 50,000 validation images, in per cent of error, top-1 and top-5.

Simonyan & Zisserman (arXiv:1409.1556), Tables 3 to 5; torchvision's own figures for one centre crop.
"""

from __future__ import annotations

__all__ = ["EVALUATIONS", "GROUPS", "published"]

# name: (how it is printed, the view). Test scales Q of the paper are pixels of 224; it mirrors throughout.
EVALUATIONS = {
    "centre": ("centre crop, 256", "centre(scale=1.142857)"),
    "single 256": ("dense, Q = 256", "dense(scales=[1.142857], flip=True)"),
    "single 384": ("dense, Q = 384", "dense(scales=[1.714286], flip=True)"),
    "multi 224-288": ("dense, Q = 224, 256, 288", "dense(scales=[1, 1.142857, 1.285714], flip=True)"),
    "multi 352-416": ("dense, Q = 352, 384, 416", "dense(scales=[1.571429, 1.714286, 1.857143], flip=True)"),
    "multi 256-512": ("dense, Q = 256, 384, 512", "dense(scales=[1.142857, 1.714286, 2.285714], flip=True)"),
    "multicrop": ("150 crops, Q = 256, 384, 512", "multicrop(scales=[1.142857, 1.714286, 2.285714], flip=True)"),
    "both": ("150 crops & dense", "multicrop & dense"),
}
GROUPS = {
    "centre": ("centre",),
    "single": ("single 256", "single 384"),
    "multi": ("multi 224-288", "multi 352-416", "multi 256-512"),
    "multicrop": ("multicrop",),
    "both": ("multi 256-512", "multicrop", "both"),
    "all": tuple(EVALUATIONS),
}
DEFAULT = ("centre", "single 256", "single 384", "multi 224-288", "multi 256-512")  # what an hour of a GPU covers

# Accuracy of one centre crop, acc@1 / acc@5, as torchvision documents its own weights.
TORCHVISION = {
    "vgg11": (69.020, 88.628), "vgg11_bn": (70.370, 89.810), "vgg13": (69.928, 89.246), "vgg13_bn": (71.586, 90.374),
    "vgg16": (71.592, 90.382), "vgg16_bn": (73.360, 91.516), "vgg19": (72.376, 90.876), "vgg19_bn": (74.218, 91.842),
    "alexnet": (56.522, 79.066), "googlenet_bn": (69.778, 89.530),
}  # fmt: skip

TABLE_3_256 = {
    "vgg11": (29.6, 10.4), "vgg11_lrn": (29.7, 10.5), "vgg13": (28.7, 9.9), "vgg16_c": (28.1, 9.4), "vgg16": (27.0, 8.8),
    "vgg19": (27.3, 9.0),
}  # fmt: skip
TABLE_3_JITTERED = {"vgg16_c": (27.3, 8.8), "vgg16": (25.6, 8.1), "vgg19": (25.5, 8.0)}
TABLE_4_256 = {"vgg13": (28.2, 9.6), "vgg16_c": (27.7, 9.2), "vgg16": (26.6, 8.6), "vgg19": (26.9, 8.7)}
TABLE_4_384 = {"vgg16_c": (27.8, 9.2), "vgg16": (26.5, 8.6), "vgg19": (26.7, 8.6)}
TABLE_4_JITTERED = {"vgg16_c": (26.3, 8.2), "vgg16": (24.8, 7.5), "vgg19": (24.8, 7.5)}
TABLE_5_CROPS = {"vgg16": (24.6, 7.5), "vgg19": (24.6, 7.4)}
TABLE_5_BOTH = {"vgg16": (24.4, 7.2), "vgg19": (24.4, 7.1)}

PAPER = {
    "single 256": (TABLE_3_256, "Table 3, S = 256"),
    "single 384": (TABLE_3_JITTERED, "Table 3, S in [256; 512]"),
    "multi 224-288": (TABLE_4_256, "Table 4, S = 256"),
    "multi 352-416": (TABLE_4_384, "Table 4, S = 384"),
    "multi 256-512": (TABLE_4_JITTERED, "Table 4, S in [256; 512]"),
    "multicrop": (TABLE_5_CROPS, "Table 5"),
    "both": (TABLE_5_BOTH, "Table 5"),
}


def published(network: str, evaluation: str) -> tuple[float, float, str] | None:
    """(top-1, top-5, where) of a network by its name, or None where nothing was published.

    >>> published("vgg16", "both"), published("vgg16", "centre"), published("msra", "both")
    ((24.4, 7.2, 'Table 5'), (28.408, 9.618, 'torchvision'), None)
    """
    if evaluation == "centre" and network in TORCHVISION:
        first, fifth = TORCHVISION[network]
        return round(100 - first, 3), round(100 - fifth, 3), "torchvision"
    figures, where = PAPER.get(evaluation, ({}, ""))
    return (*figures[network], where) if network in figures else None
