"""The table of networks; docs/adding-a-network.md says how to add a line."""

from __future__ import annotations

from ..core.registry import Registry

__all__ = ["networks"]

networks = Registry(
    "network",
    {
        "vgg11": "evenray.networks.vgg:vgg11",
        "vgg11_bn": "evenray.networks.vgg:vgg11_bn",
        "vgg11_lrn": "evenray.networks.vgg:vgg11_lrn",
        "vgg11_lrn_bn": "evenray.networks.vgg:vgg11_lrn_bn",
        "vgg13": "evenray.networks.vgg:vgg13",
        "vgg13_bn": "evenray.networks.vgg:vgg13_bn",
        "vgg16_c": "evenray.networks.vgg:vgg16_c",
        "vgg16_c_bn": "evenray.networks.vgg:vgg16_c_bn",
        "vgg16": "evenray.networks.vgg:vgg16",
        "vgg16_bn": "evenray.networks.vgg:vgg16_bn",
        "vgg19": "evenray.networks.vgg:vgg19",
        "vgg19_bn": "evenray.networks.vgg:vgg19_bn",
        "alexnet": "evenray.networks.alexnet:alexnet",
        "krizhevsky": "evenray.networks.alexnet:krizhevsky",
        "zeiler_fergus": "evenray.networks.zeiler_fergus:zeiler_fergus",
        "clarifai": "evenray.networks.clarifai:clarifai",
        "overfeat_fast": "evenray.networks.overfeat:overfeat_fast",
        "overfeat_accurate": "evenray.networks.overfeat:overfeat_accurate",
        "msra": "evenray.networks.msra:msra",
        "googlenet": "evenray.networks.googlenet:googlenet",
        "googlenet_bn": "evenray.networks.googlenet:googlenet_bn",
        "torchvision": "evenray.networks.adapter:torchvision",
        "timm": "evenray.networks.adapter:timm",
    },
    context=3,  # classes, channels, size
)
