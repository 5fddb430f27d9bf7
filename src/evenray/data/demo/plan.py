"""Who is in the archive: which film has which label, site, polarity and fault. Nothing is drawn here.

Every property that could give the label away is dealt out within the sick and within the healthy alike, so that the
label can be told from the lesions only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError

__all__ = ["CROP", "FAULTS", "Film", "generator", "plan"]

HEALTHY_PER_SICK = 12
LEAST_PATIENTS = 60  # fewer leave no room for the planted faults
SYNTAXES = {"explicit": 0.55, "jpeg-ls": 0.15, "jpeg-2000": 0.15, "rle": 0.15}

CROP = 2  # pixels cut from every side of a cropped near duplicate

# Each fault: how many films carry it, and what it is; those with a source are copies of another film.
FAULTS = {
    "exact_duplicate": (2, "the source's pixels, value for value, under another patient"),
    "near_duplicate_intensity": (2, "the source's pixels x 0.94 + 120 grey levels, under another patient"),
    "near_duplicate_recompressed": (2, "the source's pixels after lossy JPEG 2000, under another patient"),
    "near_duplicate_cropped": (2, f"the source's pixels less {CROP} on every side, under another patient"),
    "blank_image": (1, "every pixel is black"),
    "eight_bit_stray": (1, "stored in 8 bits among films of 12"),
    "truncated_file": (1, "the file ends in the middle of its pixels"),
    "label_conflict": (
        1,
        "the source's pixels, value for value, of the same patient; labelled sick, the source healthy",
    ),
}


@dataclass(frozen=True)
class Film:
    """One image of the archive: the `number`-th film (from 0) of a patient.

    `sick` says whether lesions are drawn; `label` is what the label table says, and differs from it in the planted
    conflict only. `source` is the film that a planted duplicate copies.
    """

    patient: int
    number: int
    sick: bool
    label: str
    site: str
    overexposed: bool = False
    inverted: bool = False
    padded: bool = False
    marked: bool = False
    collimated: bool = False
    calibrated: bool = False
    syntax: str = "explicit"
    fault: str = ""
    source: Film | None = None

    @property
    def path(self) -> str:
        """The file, relative to the archive.

        >>> Film(patient=7, number=1, sick=False, label="healthy", site="north").path
        'films/p0008/film2.dcm'
        """
        return f"films/p{self.patient + 1:04d}/film{self.number + 1}.dcm"


def generator(seed: int, *key: int) -> np.random.Generator:
    """The random numbers of one thing (a patient, a film), independent of those of all others and of any order.

    >>> bool(generator(0, 1, 2).integers(1000) == generator(0, 1, 2).integers(1000))
    True
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def plan(seed: int, patients: int, images: int, healthy_per_sick: int = HEALTHY_PER_SICK) -> list[Film]:
    """All films, by patient and number, of so many healthy patients for each sick one; UsageError where patients and images do not
    fit together.

    >>> films = plan(seed=0, patients=100, images=124)
    >>> len(films), len({film.patient for film in films if film.sick})
    (124, 8)
    """
    if patients < LEAST_PATIENTS:
        raise UsageError(f"patients is {patients}; the planted faults need at least {LEAST_PATIENTS}.")
    if not patients * 1.1 <= images <= patients * 2:
        raise UsageError(f"images is {images} for {patients} patients; give {round(patients * 1.1)} to {patients * 2}.")
    rng = generator(seed, 0)
    order = rng.permutation(patients)
    sick = round(patients / (1 + healthy_per_sick))
    extra = round((images - patients) * sick / patients)
    films = _people(rng, order[:sick], extra, sick=True)
    films += _people(rng, order[sick:], images - patients - extra, sick=False)
    films = _dealt(rng, films, "overexposed", 0.5, sites=("south",))
    films = _dealt(rng, films, "inverted", 0.4)
    for name, share in (("padded", 0.4), ("marked", 0.6), ("collimated", 0.25), ("calibrated", 0.5)):
        films = _dealt(rng, films, name, share)
    films = _compressed(rng, films)
    return sorted(_with_faults(rng, films), key=lambda film: (film.patient, film.number))


def _people(rng: np.random.Generator, members: NDArray[np.int64], extra: int, *, sick: bool) -> list[Film]:
    """The films of these patients and their sites; `extra` films beyond one each go to a few, up to four a patient."""
    fours, threes = extra // 30, extra // 10
    more = np.zeros(len(members), np.int64)
    more[: extra - 2 * fours - threes] = 1
    more[: fours + threes] += 1
    more[:fours] += 1
    north = rng.permutation(len(members)) < round(0.55 * len(members))
    films = []
    for patient, further, in_north in zip(members.tolist(), more.tolist(), north.tolist(), strict=True):
        site, label = "north" if in_north else "south", "sick" if sick else "healthy"
        films += [Film(patient, number, sick, label, site) for number in range(1 + further)]
    return films


def _groups(films: list[Film]) -> dict[tuple[Any, ...], list[int]]:
    """Indices of films alike in label, site and exposure."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, film in enumerate(films):
        groups.setdefault((film.sick, film.site, film.overexposed), []).append(index)
    return groups


def _dealt(
    rng: np.random.Generator, films: list[Film], name: str, share: float, sites: tuple[str, ...] = ("north", "south")
) -> list[Film]:
    """The films with the property `name` set on this share of each group of these sites, at random within it."""
    films = list(films)
    for (_, site, _), group in _groups(films).items():
        able = group if site in sites else []
        for index in rng.permutation(able)[: round(share * len(able))].tolist():
            films[index] = replace(films[index], **{name: True})
    return films


def _compressed(rng: np.random.Generator, films: list[Film]) -> list[Film]:
    """The films with a transfer syntax each, in the same shares in every group."""
    films = list(films)
    for group in _groups(films).values():
        ends = np.cumsum([share * len(group) for share in SYNTAXES.values()])
        for place, index in enumerate(rng.permutation(group).tolist()):
            which = int(np.searchsorted(ends, place + 0.5))
            films[index] = replace(films[index], syntax=list(SYNTAXES)[min(which, len(SYNTAXES) - 1)])
    return films


def _with_faults(rng: np.random.Generator, films: list[Film]) -> list[Film]:
    """Some healthy films turned into the planted faults; counts of patients and images stay as they were."""
    by_patient: dict[int, list[int]] = {}
    for index, film in enumerate(films):
        if not film.sick:
            by_patient.setdefault(film.patient, []).append(index)
    single = [indices[0] for indices in by_patient.values() if len(indices) == 1]
    able = [i for i in single if not films[i].overexposed]
    pools = {site: [i for i in rng.permutation(able).tolist() if films[i].site == site] for site in ("north", "south")}
    films = list(films)
    for fault in (name for name, (count, _) in FAULTS.items() for _ in range(count)):
        pool = max(pools.values(), key=len)
        if fault == "label_conflict":
            first, second = next(indices[:2] for indices in by_patient.values() if len(indices) == 2)
            films[second] = _copy(films[second], films[first], fault, label="sick")
        elif "duplicate" in fault:
            index, source = pool.pop(), pool.pop()
            films[source] = replace(films[source], padded=False)
            films[index] = _copy(films[index], films[source], fault)
        else:
            index = pool.pop()
            films[index] = replace(films[index], fault=fault, padded=False, syntax="explicit")
    return films


def _copy(film: Film, source: Film, fault: str, label: str = "healthy") -> Film:
    """The film as a copy of the source, under its own patient and number."""
    syntax = "jpeg-2000-lossy" if fault == "near_duplicate_recompressed" else source.syntax
    kept = replace(source, patient=film.patient, number=film.number, label=label, syntax=syntax)
    return replace(kept, fault=fault, source=source)
