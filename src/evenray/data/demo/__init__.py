"""The demo archive: chest-like radiograph phantoms as DICOM files, with lesions of known place and planted faults.

All of it is synthetic and drawn on the spot: no download, no person, nothing to learn about medicine.
"""

from __future__ import annotations

from .archive import Archive, make

__all__ = ["Archive", "make"]
