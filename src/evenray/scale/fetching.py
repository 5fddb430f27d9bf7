"""What a URL names, as files here: of a PACS its images, of any other storage a file or folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from evenray.core.errors import DataError

from .pacs import SCHEMES, fetched_images
from .remote import Mirror, checked, is_url, system_of, told

__all__ = ["is_pacs", "local"]


def is_pacs(place: str | Path) -> bool:
    """Whether a text is the URL of a PACS, which holds images and nothing else.

    >>> is_pacs("dicom://pacs:4242/ORTHANC"), is_pacs("s3://bucket/scans")
    (True, False)
    """
    return str(place).split("://", 1)[0] in SCHEMES and is_url(place)


def local(place: str | Path) -> Path:
    """A file or folder on this machine: a path as it is; of a URL its local copy, brought up to date, and with a table the files
    that it names."""
    url = str(place)
    if not is_url(url):
        return Path(url)
    if is_pacs(url):
        return fetched_images(url)
    url = checked(url.rstrip("/"))
    system, root = system_of(url)
    with told(url, "read"):
        single = system.isfile(root)
        if not single and not system.exists(root):
            raise DataError(f"There is no '{url}'; check the address, and the credentials in the environment.")
    if not single:
        return Mirror(url).pull()
    folder, name = url.rsplit("/", 1)
    mirror = Mirror(folder)
    mirror.pull([name])
    if name.lower().endswith((".csv", ".tsv", ".parquet")):
        mirror.pull(_named(mirror.here / name))
    return mirror.here / name


def _named(table: Path) -> list[str]:
    """The files that a table of labels names, relative to it."""
    from evenray.data.tables.meanings import meaning_of
    from evenray.data.tables.raw_table import read_raw_table

    with suppress(DataError):  # told where it is used
        found = read_raw_table(table)
        paths = next((found[name].drop_nulls().to_list() for name in found.columns if meaning_of(name) == "path"), [])
        return [path.replace("\\", "/").removeprefix("./") for path in paths]
    return []
