"""Networks: one readable file an architecture, and `build`, which makes a Classifier of a spec.

build("vgg16_bn(head=average)", classes=2, channels=1, size=28)           from scratch
build("vgg16", classes=2, channels=1, size=224, pretrained="caffe:PATH")  from a weight file, its preprocessing with it
"""

from __future__ import annotations

from ._build import build, load, restore, save
from ._classifier import Classifier
from ._registry import bound, classifier_of, detectors, networks, segmenters
from .averaged import average, mean_of, mean_of_boxes
from .description import NetworkDescription
from .finetune import features, fine_tuning, fine_tunings, freeze, parameter_groups
from .members import first_alone, members
from .mixed import mix

__all__ = [
    "Classifier",
    "NetworkDescription",
    "average",
    "bound",
    "build",
    "classifier_of",
    "detectors",
    "features",
    "fine_tuning",
    "fine_tunings",
    "first_alone",
    "freeze",
    "load",
    "mean_of",
    "mean_of_boxes",
    "members",
    "mix",
    "networks",
    "parameter_groups",
    "restore",
    "save",
    "segmenters",
]
