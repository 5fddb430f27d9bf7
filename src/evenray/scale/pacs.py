"""Images of a PACS: listed and fetched by DICOMweb or by C-FIND with C-GET or C-MOVE, and kept by their UIDs.

`dicomweb://HOST[:PORT]/PATH?Modality=CR` and `dicomwebs://` (over TLS) name the images of a DICOMweb server,
`dicom://[OWN_AET@]HOST[:PORT]/CALLED_AET?Modality=CR` those of a DICOM node. Everything else sees a folder of files
(docs/decisions/0007-urls-go-through-a-local-copy.md).
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from pydicom.datadict import tag_for_keyword

from evenray.core.artefacts import atomic, cache_folder, digest
from evenray.core.errors import DataError, UsageError

from .dicomweb import Dicomweb
from .dimse import Dimse
from .pace import pace

__all__ = ["SCHEMES", "fetched_images"]

Name = tuple[str, str, str]  # the UIDs of study, series and instance
SCHEMES = ("dicomweb", "dicomwebs", "dicom")
# A query stands in the run's artefacts, so it may not name a person.
PERSONAL = {
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "OtherPatientIDs",
    "AccessionNumber",
    "ReferringPhysicianName",
}
VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def fetched_images(url: str) -> Path:
    """A folder with the images that the URL of a PACS names, brought up to date: STUDY/SERIES/INSTANCE.dcm.

    What is here already is not fetched again, whichever URL it came by, so a fetch that was stopped goes on. What the server no
    longer lists leaves the folder. EVENRAY_DICOMWEB_RATE or EVENRAY_DICOM_RATE limits the requests a second. Raises UsageError
    for a URL with a secret or a person in it, DataError where the server cannot be asked, MissingExtra without the package that
    asks it.
    """
    shown, filters = _filters(url)
    archive = _archive(url)
    names = sorted({_checked(name) for name in archive.listed(filters)})
    if not names:
        raise DataError(
            f"'{archive.address}' lists no image for {shown or 'any study'}; widen the query, or check who is asking."
        )
    cache = cache_folder() / "pacs"
    here, kept = cache / digest([archive.address, sorted(filters.items())])[:24], cache / "instances"

    def keep(instance: str, content: bytes) -> None:
        with atomic(_place(kept, instance)) as temporary:
            temporary.write_bytes(content)

    archive.fetch([name for name in names if not _place(kept, name[2]).exists()], keep)
    wanted = {"/".join(name) + ".dcm": name for name in names}
    for there in [p for p in here.rglob("*.dcm") if p.relative_to(here).as_posix() not in wanted]:
        there.unlink()
    for path, name in wanted.items():
        if not (here / path).exists():
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            _link(_place(kept, name[2]), here / path)
    return here


def _archive(url: str) -> Dicomweb | Dimse:
    if urlsplit(url).scheme != "dicom":
        return Dicomweb(url, pace("EVENRAY_DICOMWEB_RATE"))
    waited = pace("EVENRAY_DICOM_RATE")
    return Dimse(url, waited, singly=waited.rate is not None)


def _filters(url: str) -> tuple[dict[str, str], dict[str, str]]:
    """The query's filters by keyword: as they may be shown, and with the values of the variables that they name."""
    shown = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    filters = dict(shown)
    for name, value in shown.items():
        if tag_for_keyword(name) is None:
            raise UsageError(
                f"The query asks for '{name}', which is no attribute of DICOM; give keywords such as Modality or StudyDate."
            )
        if variable := VARIABLE.fullmatch(value):
            filters[name] = os.environ.get(variable[1], "")
            if not filters[name]:
                raise UsageError(f"The query takes {name} from the variable {variable[1]}, which is not set; set it.")
        elif name in PERSONAL:
            raise UsageError(
                f"The query asks for {name}; it would stand in the run's artefacts. Name a variable of the environment that holds"
                f" it, {name}={{VARIABLE}}, ask for a modality, a body part or dates, or list the studies by UID in a table of labels."
            )
    return shown, filters


def _checked(name: Name) -> Name:
    """UIDs, which become names of files."""
    if not all(UID.fullmatch(each) and len(each) <= 64 for each in name):
        raise DataError("The server lists an image whose UIDs are no UIDs; it is not asked for.")
    return name


def _place(kept: Path, instance: str) -> Path:
    return kept / digest(instance)[:2] / f"{instance}.dcm"


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without links
        shutil.copyfile(source, target)
