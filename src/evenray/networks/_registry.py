"""The table of networks; docs/adding-a-network.md says how to add a line."""

from __future__ import annotations

from ..core.registry import Registry

__all__ = ["networks"]

networks = Registry(
    "network",
    {
        "vgg11": "evenray.networks.vgg:vgg11",
        "vgg11_bn": "evenray.networks.vgg:vgg11_bn",
        "vgg13": "evenray.networks.vgg:vgg13",
        "vgg13_bn": "evenray.networks.vgg:vgg13_bn",
        "vgg16": "evenray.networks.vgg:vgg16",
        "vgg16_bn": "evenray.networks.vgg:vgg16_bn",
        "vgg19": "evenray.networks.vgg:vgg19",
        "vgg19_bn": "evenray.networks.vgg:vgg19_bn",
    },
    context=3,  # classes, channels, size
)
