"""Table 7 of the VGG paper, made for the user's own images: every system trained, evaluated its paper's way, and scored.

systems.py   the rows: which nets, their test-time augmentation, what the paper published
budget.py    one size, width, number of epochs and learning rate for all
nets.py      a net trained once, evaluated once under each augmentation, kept on disk
table.py     rows with intervals, baselines and costs; as text
imagenet.py  given weights on ImageNet's validation images, beside the published errors
"""

from __future__ import annotations

from .systems import SYSTEMS, Net, System, chosen, nets_of

__all__ = ["SYSTEMS", "Net", "System", "chosen", "nets_of"]
