"""Writing a DICOM header again: pydicom kept quiet, and whatever it raises told without a word of the header."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom

from evenray.core.errors import EvenrayError, ReadError
from evenray.images.readers.dicom_parse import quiet

__all__ = ["header_again"]


@contextmanager
def header_again(source: Path) -> Iterator[None]:
    """ReadError of `source` where its header cannot be written again; what is wrong with the disk stays what it is."""
    try:
        with pydicom.config.disable_value_validation(), quiet():
            yield
    except (EvenrayError, MemoryError):
        raise
    except Exception as error:  # its message may quote the header
        if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of pydicom
            raise
        raise ReadError(source, f"has a DICOM header that cannot be written again ({type(error).__name__})") from None
