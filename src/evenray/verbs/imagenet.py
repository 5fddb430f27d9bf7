"""imagenet: trained weights on ImageNet's validation images, their errors beside the published ones."""

from evenray.evidence.table7.imagenet import ImagenetErrors, imagenet

__all__ = ["ImagenetErrors", "imagenet"]
