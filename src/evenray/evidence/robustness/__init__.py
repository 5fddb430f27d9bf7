"""Robustness: the figures of networks under graded corruptions of the images that they are asked about.

corrupted.py   an image under all corruptions, as networks take it      measuring.py   figures, losses, differences
"""

from .corrupted import LOOKS, Look, Looks, looks
from .measuring import measured_networks

__all__ = ["LOOKS", "Look", "Looks", "looks", "measured_networks"]
