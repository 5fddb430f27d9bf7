"""What a run is made of: images that are listed and not yet opened, or a data set that is scanned already."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evenray.core.artefacts import digest, file_digest
from evenray.core.errors import DataError
from evenray.core.names import as_path, as_text
from evenray.core.recipe import ScanSettings
from evenray.core.texts import Texts
from evenray.core.types import Dataset, require_classes
from evenray.core.understood import Understood
from evenray.scale import is_url, local

if TYPE_CHECKING:
    from evenray.data.scan.entries import Listing

__all__ = ["Source"]


@dataclass
class Source:
    """`data` is what the user pointed at, as typed; `given` a data set that is scanned already."""

    data: str
    settings: ScanSettings
    given: Dataset | None = None

    @cached_property
    def path(self) -> Path:
        """The data as a path: of a URL, its local copy."""
        return local(self.data)

    @cached_property
    def listed(self) -> Listing:
        """What there is to scan."""
        from evenray.data.annotations.finding import Wanted
        from evenray.data.scan.listing import listing
        from evenray.data.tables.expressions import columns_asked
        from evenray.data.tables.labels import Choices

        labels = _local(self.settings.labels)
        settings = self.settings
        wanted = Wanted(settings.task, _local(settings.masks), _local(settings.boxes), settings.unannotated)
        choices = Choices(columns_asked(settings.column), settings.uncertain, settings.reader, settings.ordered)
        return listing(self.path, labels=labels, patient=settings.patient, choices=choices, wanted=wanted)

    @property
    def understood(self) -> Understood:
        """What columns and folders were taken to mean, with what is to be said of it."""
        listed = self.listed
        notes = [*([listed.pattern_note] if listed.pattern_note else []), *listed.notes]
        update = {"task": listed.reading.task, "ordered": listed.reading.ordered, "notes": tuple(notes)}
        return listed.understood.model_copy(update=update)

    @cached_property
    def root(self) -> str:
        """What the cases' paths are relative to."""
        return self.given.root if self.given is not None else as_text(self.listed.root.resolve())

    @property
    def away(self) -> bool:
        """Whether the images are not to be found, as on a disk that is not mounted."""
        return self.given is None and not is_url(self.data) and not Path(self.data).exists()

    def forget_listing(self) -> None:
        """Let go of the list of files, which after the scan nobody needs, and which takes 300 bytes a file."""
        if "listed" in self.__dict__:
            _ = self.root
            del self.__dict__["listed"]

    @cached_property
    def stamp(self) -> str:
        """A digest of every file's name, size and time of change, of lists of classes too, and of the tables; not of where they
        are: moved files are the same."""
        if self.given is not None:
            given = self.given
            cases = given.cases.hash_rows(seed=0).to_list()
            return digest(
                [cases, sorted(given.sketches), given.classes, given.positive, given.facts.model_dump(mode="json")]
            )
        listed, stats = self.listed, hashlib.sha256()
        names, lists = [entry.file for entry in listed.entries], list[tuple[str, Path]]()
        if listed.annotations is not None:
            names += listed.annotations.files
            lists = [(path.name, as_path(path)) for path in listed.annotations.lists]
        for name, path in sorted({*((name, as_path(listed.root / name)) for name in names), *lists}):
            if path.exists():
                found = path.stat()
                stats.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
        read = [listed.table.source, *listed.table.others] if listed.table is not None else []
        tables = [Path(self.path), *map(Path, read)]
        tables = [path for path in tables if path.is_file() and path.suffix.lower() != ".npz"]
        return digest([[(path.name, file_digest(path)) for path in tables], stats.hexdigest()])

    def require_positive(self) -> None:
        """UsageError where two classes do not tell which of them is the positive one, before any file is opened."""
        from evenray.data.tables.positive import ask_for_positive

        if self.given is not None:
            why = self.given.facts.positive_why
            if why is not None and why.code == "scan.positive_doubtful":
                ask_for_positive(self.given.classes, self.given.counts, None)
            return
        counts = self.listed.understood.counts
        if self.listed.reading.task == "classify" and len(counts) == 2:
            ask_for_positive(tuple(counts), counts, self.settings.positive)

    def require_labels(self) -> None:
        """DataError where there are no two classes, before any file is opened."""
        if self.given is not None:
            self.given.to_learn_from()
            return
        listed = self.listed
        if listed.annotations is not None:
            return
        try:
            if listed.table is not None and len(listed.labels) == 1:  # how many images it labels is not known yet
                raise DataError(
                    f"'{listed.table.source}' gives every image that it names here the label '{next(iter(listed.labels))}';"
                    " a classifier needs two classes or more. Check the column of labels, and which images the rows name."
                )
            require_classes(listed.labels, self.path, len(listed.entries))
        except DataError as error:
            doubts = [f" Note: {Texts('en').message(doubt)}." for doubt in listed.doubts]
            raise DataError(f"{error}{''.join(doubts)}") from None


def _local(place: str | None) -> str | None:
    """A file or folder that is named by its URL, as its local copy."""
    return None if place is None else str(local(place))
