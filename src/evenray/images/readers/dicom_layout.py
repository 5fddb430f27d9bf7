"""How the pixels of a DICOM file are laid out: the Image Pixel module, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from evenray.core.errors import ReadError

from ._limits import check
from .dicom_elements import integer, text
from .dicom_terms import PHOTOMETRICS

__all__ = ["Layout"]


@dataclass(frozen=True)
class Layout:
    """The Image Pixel module of a file (PS3.3 C.7.6.3), with the usual values where the file leaves some out."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int
    photometric: str
    planar: int
    keyword: str
    syntax: UID

    @classmethod
    def of(cls, dataset: FileDataset, path: str) -> Layout:
        """Read and check the module; ReadError says which value cannot be."""
        groups: Sequence[Dataset] = [dataset]
        allocated = integer(groups, "BitsAllocated", 0)
        stored = integer(groups, "BitsStored", 0) or allocated
        layout = cls(
            rows=integer(groups, "Rows", 0),
            columns=integer(groups, "Columns", 0),
            samples=integer(groups, "SamplesPerPixel", 1),
            frames=max(1, integer(groups, "NumberOfFrames", 1)),
            bits_allocated=allocated,
            bits_stored=stored,
            high_bit=integer(groups, "HighBit", stored - 1),
            pixel_representation=integer(groups, "PixelRepresentation", 0),
            photometric=text(groups, "PhotometricInterpretation").upper(),
            planar=integer(groups, "PlanarConfiguration", 0),
            keyword=next(k for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if k in dataset),
            syntax=UID(str(dataset.file_meta.TransferSyntaxUID)),
        )
        layout._check(path)
        return layout

    def _check(self, path: str) -> None:
        floats = {"FloatPixelData": (32,), "DoubleFloatPixelData": (64,)}.get(self.keyword)
        kind, samples = self.photometric, self.samples
        for wrong, what in (
            (not (0 < self.rows < 65536 and 0 < self.columns < 65536), f"{self.rows} rows x {self.columns} columns"),
            (samples not in (1, 3), f"{samples} samples a pixel; 1 and 3 are read"),
            (self.bits_allocated not in (floats or (1, 8, 16, 32)), f"{self.bits_allocated} bits allocated"),
            (not 0 < self.bits_stored <= self.bits_allocated, f"{self.bits_stored} bits of {self.bits_allocated}"),
            (samples == 3 and self.planar not in (0, 1), f"planar configuration {self.planar}"),
            (self.pixel_representation not in (0, 1), f"pixel representation {self.pixel_representation}"),
            (not kind, "no photometric interpretation, so black and white could be swapped"),
            (kind not in PHOTOMETRICS, "an unknown photometric interpretation"),
            (kind in ("HSV", "ARGB", "CMYK"), f"colours as {kind}, which are not read"),
            (samples == 3 and kind[:3] in ("MON", "PAL"), f"{kind} with three samples a pixel"),
            (samples == 1 and kind[:3] in ("RGB", "YBR"), f"{kind} with one sample a pixel"),
        ):
            if wrong:
                raise ReadError(path, f"its DICOM header declares {what}")
        check(path, "pixels", self.rows * self.columns, "pixels")
        check(path, "frames", self.frames, "frames")
        if not self.syntax.is_transfer_syntax or self.syntax.is_private:
            raise ReadError(path, "its transfer syntax is unknown")
