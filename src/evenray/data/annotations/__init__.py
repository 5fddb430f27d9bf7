"""Masks and boxes of images: how they are found and read, one file a format."""

from .reading import read_boxes, read_mask

__all__ = ["read_boxes", "read_mask"]
