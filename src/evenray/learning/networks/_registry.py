"""The table of networks; docs/adding-a-network.md says how to add a line."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from evenray.core.registry import Registry
from evenray.core.spec import Step

__all__ = ["bound", "classifier_of", "detectors", "networks", "segmenters"]

networks = Registry(
    "network",
    {
        "vgg11": "evenray.learning.networks.vgg:vgg11",
        "vgg11_bn": "evenray.learning.networks.vgg:vgg11_bn",
        "vgg11_lrn": "evenray.learning.networks.vgg:vgg11_lrn",
        "vgg11_lrn_bn": "evenray.learning.networks.vgg:vgg11_lrn_bn",
        "vgg13": "evenray.learning.networks.vgg:vgg13",
        "vgg13_bn": "evenray.learning.networks.vgg:vgg13_bn",
        "vgg16_c": "evenray.learning.networks.vgg:vgg16_c",
        "vgg16_c_bn": "evenray.learning.networks.vgg:vgg16_c_bn",
        "vgg16": "evenray.learning.networks.vgg:vgg16",
        "vgg16_bn": "evenray.learning.networks.vgg:vgg16_bn",
        "vgg19": "evenray.learning.networks.vgg:vgg19",
        "vgg19_bn": "evenray.learning.networks.vgg:vgg19_bn",
        "alexnet": "evenray.learning.networks.alexnet:alexnet",
        "krizhevsky": "evenray.learning.networks.alexnet:krizhevsky",
        "zeiler_fergus": "evenray.learning.networks.zeiler_fergus:zeiler_fergus",
        "clarifai": "evenray.learning.networks.clarifai:clarifai",
        "overfeat_fast": "evenray.learning.networks.overfeat:overfeat_fast",
        "overfeat_accurate": "evenray.learning.networks.overfeat:overfeat_accurate",
        "msra": "evenray.learning.networks.msra:msra",
        "googlenet": "evenray.learning.networks.googlenet:googlenet",
        "googlenet_bn": "evenray.learning.networks.googlenet:googlenet_bn",
        "efficientnet_lite0": "evenray.learning.networks.efficientnet_lite:efficientnet_lite0",
        "onnx": "evenray.learning.networks.onnx_trunk:onnx",
        "torchvision": "evenray.learning.networks.adapter:torchvision",
        "timm": "evenray.learning.networks.adapter:timm",
    },
    context=3,  # classes, channels, size
)

# Networks that tell the class of every pixel.
segmenters = Registry(
    "network of masks",
    {"unet": "evenray.learning.networks.unet:unet", "fcn8s": "evenray.learning.networks.fcn:fcn8s"},
    context=3,
)

# Networks that tell where objects are.
detectors = Registry("network of boxes", {"ssd": "evenray.learning.networks.ssd:ssd"}, context=3)


def bound(spec: str) -> partial[Any]:
    """The function of a spec of any kind of network; it still takes classes, channels and size.

    >>> bound("unet(vgg16)").func.__name__
    'unet'
    """
    step = Step.of(spec)
    return next((kind for kind in (segmenters, detectors) if step.name in kind), networks).bind(step)


def classifier_of(spec: str) -> str:
    """The name of the classifier whose weights fit: that of a network of masks or boxes stands in its first parameter.

    >>> classifier_of("unet(vgg16(dropout=0.1), batch_norm=True)"), classifier_of("ssd"), classifier_of("vgg19_bn")
    ('vgg16', 'vgg16_bn', 'vgg19_bn')
    """
    made = bound(spec)
    if not any(Step.of(spec).name in kind for kind in (segmenters, detectors)):
        return Step.of(spec).name
    _, _, _, trunk, *_ = inspect.signature(made.func).parameters.values()
    return Step.of(made.keywords.get(trunk.name, trunk.default)).name
