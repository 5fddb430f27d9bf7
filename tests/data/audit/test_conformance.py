"""What every registered check keeps: it finds its planted fault, is silent on clean data, and merges over shards.

A check that is registered without a planted fault here fails; the suite itself is tried on faulty checks at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from evenray.core.annotations import Task
from evenray.core.errors import DataError
from evenray.core.findings import Finding, findings_of, table_of
from evenray.core.marks import BOXES, MASKS
from evenray.core.registry import Registry
from evenray.core.texts import LANGUAGES, Texts
from evenray.core.types import Dataset
from evenray.data.audit import audit, checks
from evenray.data.audit.labels import COMPARING

Change = Callable[[NDArray[np.uint16]], NDArray[Any]]
Plant = Callable[..., Dataset]
FEW = (20, 41, 62, 83)
BAD = ((30, 30, 30, 40), (30, 40, 50, 20), (100, 50, 140, 60), (-30, 5, -10, 20))  # degenerate, and outside
TOP = 4095


@dataclass(frozen=True)
class Fault:
    """A data set with a fault: how bad it must be judged, and which cases must be named, exactly."""

    dataset: Dataset
    severity: str
    cases: frozenset[str] = frozenset()


def named(dataset: Dataset, rows: Sequence[int]) -> frozenset[str]:
    return frozenset(dataset.cases["case"][row] for row in rows)


def pictures(plant: Plant, change: Change, severity: str = "warning", rows: Sequence[int] = FEW) -> Fault:
    dataset = plant(change, rows)
    return Fault(dataset, severity, named(dataset, rows))


def columns(clean: Dataset, severity: str, cases: Sequence[int] = (), **values: Any) -> Fault:
    table = clean.cases.with_columns(
        **{name: value if isinstance(value, pl.Expr) else pl.Series(value) for name, value in values.items()}
    )
    return Fault(replace(clean, cases=table), severity, named(clean, cases))


def copied(clean: Dataset, severity: str, source: int, target: int, **values: Any) -> Fault:
    """The picture of one case stored again as another case."""
    kept = ["case", "file", "label", "patient", "study", "part"]
    twin = clean.cases[source].drop(kept).with_columns(clean.cases[target].select(kept))
    table = pl.concat(
        [clean.cases.filter(pl.col("case") != clean.cases["case"][target]), twin.select(clean.cases.columns)]
    )
    table = table.with_columns(**{name: at([target], clean, name, value) for name, value in values.items()})
    return Fault(replace(clean, cases=table), severity, named(clean, [source, target]))


def split(clean: Dataset) -> Dataset:
    parts = [("train", "train", "validation", "test")[(i // 2) % 4] for i in range(len(clean))]
    return replace(clean, cases=clean.cases.with_columns(part=pl.Series(parts)))


def written(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    strokes = np.zeros(pixels.shape, np.uint8)
    for y, text in ((40, "LEFT AP"), (70, "12:30:01"), (100, "76 kV")):
        cv2.putText(strokes, text, (8, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    return np.where(strokes > 127, np.uint16(TOP), pixels)


def sprinkled(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    rng, done = np.random.default_rng(5), pixels.copy()
    done[tuple(rng.integers(0, pixels.shape[0], (2, 60)))] = rng.choice([0, TOP], 60)
    return done


def noisy(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    noise = np.random.default_rng(6).normal(0, 0.06 * TOP, pixels.shape)
    return np.clip(pixels + noise, 0, TOP).astype(np.uint16)


def framed(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    done = np.zeros_like(pixels)
    done[26:-26, 26:-26] = pixels[26:-26, 26:-26]
    return done


def compressed(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    grey = np.round(pixels * (255 / TOP)).astype(np.uint8)
    stored = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 8])[1]
    return (cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE) * (TOP / 255)).astype(np.uint16)


def scaled(factor: float, offset: float = 0.0) -> Change:
    return lambda pixels: np.clip(pixels * factor + offset, 0, TOP).astype(np.uint16)


def fading(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return (pixels * np.linspace(1, 0.25, pixels.shape[1])).astype(np.uint16)


def sixteen_bits(plant: Plant) -> Fault:
    rows = range(40)
    dataset = plant(lambda pixels: pixels, rows, top=65535)
    return Fault(replace(dataset, cases=dataset.cases.head(40).with_columns(format=pl.lit("png"))), "warning")


def sketched(dataset: Dataset, **sketches: list[np.ndarray]) -> Fault:
    arrays = {name: np.stack(rows) for name, rows in sketches.items()}
    return Fault(replace(dataset, sketches={**dataset.sketches, **arrays}), "warning")


def brighter_sick(clean: Dataset) -> Fault:
    """The histograms of one class moved up by 30 of 256 levels."""
    moved = [
        np.roll(counts, 30 * (label == "sick"))
        for counts, label in zip(clean.sketch("histogram"), clean.cases["label"], strict=True)
    ]
    return sketched(clean, histogram=moved)


def marked_sick(clean: Dataset) -> Fault:
    """A light corner in the images of one class."""
    marked = []
    for thumbnail, label in zip(clean.sketch("thumbnail").copy(), clean.cases["label"], strict=True):
        thumbnail[:2, :4] += np.uint8(40 * (label == "sick"))
        marked.append(thumbnail)
    return sketched(clean, thumbnail=marked)


def darker_test(clean: Dataset) -> Fault:
    apart = split(clean)
    moved = [
        np.roll(counts, -20 * (part == "test"))
        for counts, part in zip(apart.sketch("histogram"), apart.cases["part"], strict=True)
    ]
    return sketched(apart, histogram=moved)


def small_test(clean: Dataset) -> Fault:
    return columns(clean, "warning", part=["test" if i < 60 else "train" for i in range(len(clean))])


def by_label(clean: Dataset, sick: Any, healthy: Any) -> pl.Expr:
    return pl.when(pl.col("label") == "sick").then(pl.lit(sick)).otherwise(pl.lit(healthy))


def at(rows: Sequence[int], clean: Dataset, name: str, value: Any) -> pl.Expr:
    here = pl.col("case").is_in(sorted(named(clean, rows)))
    return pl.when(here).then(pl.lit(value)).otherwise(pl.col(name))


def patient_of(clean: Dataset, row: int) -> str:
    return str(clean.cases["patient"][row])


def smaller(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.clip(half * 0.9 + 100, 0, TOP).astype(np.uint16)


def near(plant: Plant, severity: str, target: int, **values: Any) -> Fault:
    """Case `target` becomes a smaller, darker copy of case 11, with further columns changed."""
    dataset = plant(smaller, [target], source=11)
    edits = {name: at([target], dataset, name, value) for name, value in values.items()}
    return Fault(replace(dataset, cases=dataset.cases.with_columns(**edits)), severity, named(dataset, [11, target]))


def near_in_parts(clean: Dataset, plant: Plant) -> Fault:
    fault = near(plant, "warning", 17)
    cases = fault.dataset.cases.with_columns(part=at([17], clean, "part", "test").fill_null("train"))
    return replace(fault, dataset=replace(fault.dataset, cases=cases))


def rejected(clean: Dataset) -> Fault:
    reasons = pl.DataFrame({"file": ["a.dcm", "b.dcm"], "reason": ["the pixel data ends after 12 of 512 rows"] * 2})
    return Fault(replace(clean, rejected=reasons), "warning")


def unlabelled(clean: Dataset) -> Fault:
    table = clean.cases.with_columns(label=pl.lit(None, pl.String))
    return Fault(replace(clean, cases=table, classes=(), positive=""), "info")


def of_task(clean: Dataset, task: Task, classes: tuple[str, ...], **values: Any) -> Dataset:
    facts = clean.facts.model_copy(update={"task": task})
    return replace(clean, cases=clean.cases.with_columns(**values), classes=classes, positive="", facts=facts)


def masked(clean: Dataset) -> Dataset:
    """The clean set with masks of one class that are told apart by their hash."""
    mask = {"file": "m.png", "fragment": "", "runs": "", "values": [0, 255], "indices": [0, 1]}
    count = len(clean)
    return of_task(
        clean, "segment", ("lesion",), masks=pl.Series([[mask]] * count, dtype=MASKS), findings=pl.Series([[True]] * count),
        mask_pixels=pl.Series([[500 + n % 7] for n in range(count)]), mask_unexpected=pl.lit(0), mask_unknown=pl.lit(0),
        mask_hash=pl.Series([f"mask{n}" for n in range(count)]), annotated_rows=pl.col("rows"), annotated_columns=pl.col("columns"),
        mask_offset=pl.lit(0.0), mask_turned=pl.lit(False),
    )  # fmt: skip


def boxed(clean: Dataset, **of: list[list[Any]]) -> Dataset:
    """The clean set with two boxes an image, of two classes; `of` are the boxes of other cases by row ("r20")."""
    boxes = [of.get(f"r{n}", [box(0, 10, 10, 50, 60), box(1, 60 + n % 9, 40, 90, 70)]) for n in range(len(clean))]
    has = [[any(b["class"] == k for b in own) for k in (0, 1)] for own in boxes]
    return of_task(
        clean, "detect", ("cell", "platelet"), boxes=pl.Series(boxes, dtype=BOXES), findings=pl.Series(has),
        annotated_rows=pl.col("rows"), annotated_columns=pl.col("columns"),
    )  # fmt: skip


def box(kind: int, *corners: float) -> dict[str, Any]:
    return {"class": kind, **dict(zip(("x0", "y0", "x1", "y1"), map(float, corners), strict=True)), "ignored": False}


def conflicting(clean: Dataset) -> Fault:
    """One image in two parts, with a box less in one of them."""
    twins = boxed(split(clean), r6=[box(0, 10, 10, 50, 60)])
    cases = twins.cases.with_columns(pixel_hash=at([6], clean, "pixel_hash", clean.cases["pixel_hash"][0]))
    return Fault(replace(twins, cases=cases), "error", named(clean, [0, 6]))


# Each takes the clean set and `plant` (see conftest).
FAULTS: dict[str, Callable[[Dataset, Plant], Fault]] = {
    "unreadable": lambda clean, plant: rejected(clean),
    "labels": lambda clean, plant: unlabelled(clean),
    "blank": lambda clean, plant: pictures(plant, scaled(0, 100)),
    "classes": lambda clean, plant: columns(clean, "info", label=["sick"] * 60 + ["healthy"] * (len(clean) - 60)),
    "patients_unknown": lambda clean, plant: columns(clean, "warning", patient=pl.lit(None, pl.String)),
    "patients_reused": lambda clean, plant: columns(
        clean, "warning", (0, 2), patient=at([2], clean, "patient", patient_of(clean, 0))
    ),
    "parts": lambda clean, plant: small_test(clean),
    "leakage_patients": lambda clean, plant: columns(
        split(clean), "error", (0, 6), patient=at([6], clean, "patient", patient_of(clean, 0))
    ),
    "leakage_sites": lambda clean, plant: columns(split(clean), "info", site=["north"] * 300 + ["south"] * 300),
    "leakage_duplicates": lambda clean, plant: copied(split(clean), "error", 0, 6),
    "leakage_near_duplicates": lambda clean, plant: near_in_parts(clean, plant),
    "duplicates": lambda clean, plant: copied(clean, "info", 0, 6, patient=patient_of(clean, 0)),
    "label_conflicts": lambda clean, plant: copied(clean, "error", 0, 7),
    "near_duplicates": lambda clean, plant: near(plant, "info", 17, patient=patient_of(clean, 11)),
    "negatives": lambda clean, plant: Fault(
        plant(lambda p: TOP - p, [17], source=11), "warning", named(clean, [11, 17])
    ),
    "overexposed": lambda clean, plant: pictures(plant, scaled(1.9)),
    "underexposed": lambda clean, plant: pictures(plant, scaled(0.22)),
    "low_contrast": lambda clean, plant: pictures(plant, scaled(0.12, 1500)),
    "polarity": lambda clean, plant: pictures(plant, lambda pixels: TOP - pixels),
    "illumination": lambda clean, plant: pictures(plant, fading),
    "noise": lambda clean, plant: pictures(plant, noisy),
    "blur": lambda clean, plant: pictures(plant, lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 2)),
    "outliers": lambda clean, plant: pictures(plant, sprinkled),
    "missing": lambda clean, plant: pictures(plant, framed),
    "text": lambda clean, plant: pictures(plant, written),
    "orientation": lambda clean, plant: pictures(plant, np.rot90),
    "compression": lambda clean, plant: pictures(plant, compressed),
    "levels_undeclared": lambda clean, plant: sixteen_bits(plant),
    "depth_stray": lambda clean, plant: Fault(
        plant(lambda pixels: (pixels >> 4).astype(np.uint8), FEW, top=255), "warning", named(clean, FEW)
    ),
    "depth_padded": lambda clean, plant: pictures(plant, lambda pixels: pixels >> 4 << 4),
    "geometry": lambda clean, plant: pictures(plant, lambda pixels: cv2.resize(pixels, (300, 128))),
    "consistency": lambda clean, plant: columns(clean, "warning", FEW, modality=at(FEW, clean, "modality", "CT")),
    "sources": lambda clean, plant: columns(clean, "warning", manufacturer=by_label(clean, "Maker", "Other")),
    "drift": lambda clean, plant: darker_test(clean),
    "shortcut_header": lambda clean, plant: columns(clean, "warning", spacing_row=by_label(clean, 0.2, 0.21)),
    "shortcut_size": lambda clean, plant: columns(clean, "warning", rows=by_label(clean, 128, 120)),
    "shortcut_histogram": lambda clean, plant: brighter_sick(clean),
    "shortcut_border": lambda clean, plant: marked_sick(clean),
    "annotation_classes": lambda clean, plant: Fault(
        boxed(clean, **{f"r{n}": [box(1, 60, 40, 90, 70)] for n in FEW}), "warning", named(clean, FEW)
    ),
    "annotation_conflicts": lambda clean, plant: conflicting(clean),
    "annotation_size": lambda clean, plant: columns(
        masked(clean), "error", FEW, annotated_rows=at(FEW, clean, "annotated_rows", 100)
    ),
    "mask_values": lambda clean, plant: columns(
        masked(clean), "warning", FEW, mask_unexpected=at(FEW, clean, "mask_unexpected", 9)
    ),
    "mask_grid": lambda clean, plant: columns(
        masked(clean), "error", FEW, mask_offset=at(FEW, clean, "mask_offset", 127.0), mask_turned=at(FEW, clean, "mask_turned", True)
    ),
    "mask_extent": lambda clean, plant: columns(
        masked(clean), "warning", FEW, mask_pixels=at(FEW, clean, "mask_pixels", [128 * 128 - 9])
    ),
    "mask_copies": lambda clean, plant: columns(
        masked(clean), "warning", FEW, mask_hash=at(FEW, clean, "mask_hash", "same")
    ),
    "box_extent": lambda clean, plant: Fault(
        boxed(clean, **{f"r{n}": [box(0, 9, 9, 50, 60), box(1, *bad)] for n, bad in zip(FEW, BAD, strict=True)}),
        "warning", named(clean, FEW),
    ),
    "box_copies": lambda clean, plant: Fault(
        boxed(clean, **{f"r{n}": [box(0, 9, 9, 50, 60), box(0, 9, 10, 50, 60), box(1, 5, 5, 9, 9)] for n in FEW}),
        "warning", named(clean, FEW),
    ),
}  # fmt: skip


def found_by(registry: Registry, name: str, dataset: Dataset) -> list[Finding]:
    return list(registry[name](dataset))


def shards(dataset: Dataset) -> Dataset:
    """The same set, joined from three shards in another order, each with sketches of its own."""
    third = len(dataset) // 3 + 1
    pieces = [
        dataset.cases[start : start + third].sample(fraction=1, shuffle=True, seed=1) for start in (2 * third, 0, third)
    ]
    rejected = [dataset.rejected[1:], dataset.rejected[:1], dataset.rejected.clear()]
    return Dataset.of_shards([scanned_apart(dataset, *each) for each in zip(pieces, rejected, strict=True)])


def scanned_apart(dataset: Dataset, cases: pl.DataFrame, rejected: pl.DataFrame) -> Dataset:
    own = replace(dataset, cases=cases)
    sketches = {name: own.sketch(name) for name in dataset.sketches}
    renumbered = cases.with_columns(sketch=pl.int_range(pl.len())) if cases.height else cases
    return replace(dataset, cases=renumbered, rejected=rejected, sketches=sketches)


def finds_its_fault(registry: Registry, name: str, fault: Fault) -> None:
    found = [finding for finding in found_by(registry, name, fault.dataset) if finding.severity == fault.severity]
    assert found, f"{name} does not find its planted fault"
    blamed = frozenset(case for finding in found for case in finding.cases)
    assert blamed == fault.cases or not fault.cases, f"{name} blames {sorted(blamed)}"


def is_silent(registry: Registry, name: str, dataset: Dataset) -> None:
    assert found_by(registry, name, dataset) == [], f"{name} accuses clean data"


def merges(registry: Registry, name: str, dataset: Dataset) -> None:
    assert found_by(registry, name, shards(dataset)) == found_by(registry, name, dataset), (
        f"{name} depends on the shards"
    )


def is_well_formed(registry: Registry, name: str, dataset: Dataset) -> None:
    known = set(dataset.cases["case"])
    for finding in found_by(registry, name, dataset):
        assert finding.check == name
        assert finding.severity in ("error", "warning", "info")
        assert set(finding.cases) <= known
        assert sum(finding.groups, ()) in ((), finding.cases)
        assert findings_of(table_of([finding])) == [finding]
        for language in LANGUAGES:
            say = Texts(language)
            assert not say.message(finding.title).startswith("finding.")
            assert say.message(finding.advice).endswith(".")
            assert {f"evidence.{key}" for key in finding.evidence} <= set(say.texts)


def test_every_check_has_a_planted_fault() -> None:
    assert set(FAULTS) == set(checks)


@pytest.mark.parametrize("name", FAULTS)
def test_a_check_finds_its_fault_and_merges_over_shards(name: str, clean: Dataset, plant: Plant) -> None:
    fault = FAULTS[name](clean, plant)
    finds_its_fault(checks, name, fault)
    merges(checks, name, fault.dataset)
    is_well_formed(checks, name, fault.dataset)


@pytest.mark.parametrize("name", checks)
def test_a_check_is_silent_on_clean_data(name: str, clean: Dataset) -> None:
    is_silent(checks, name, clean)
    if name != "parts":  # 600 cases are too few for a test part that tells strategies apart
        is_silent(checks, name, split(clean))


@pytest.mark.parametrize("name", [name for name in checks if name.startswith(("annotation", "mask", "box"))])
def test_a_check_of_annotations_is_silent_where_they_are_right(name: str, clean: Dataset) -> None:
    is_silent(checks, name, split(boxed(clean)))
    if name != "annotation_classes":  # which says how much of the pixels each class covers
        is_silent(checks, name, split(masked(clean)))


@pytest.mark.parametrize(("share", "variant"), [(0.02, ""), (0.5, "shares"), (0.95, "shares")])
def test_most_pixels_are_called_background_where_they_are(share: float, variant: str, clean: Dataset) -> None:
    pixels = (pl.col("rows") * pl.col("columns") * share).cast(pl.Int64)
    cases = masked(clean).cases.with_columns(mask_pixels=pl.concat_list(pixels))
    *_, told = found_by(checks, "annotation_classes", replace(masked(clean), cases=cases))
    assert told.variant == variant
    assert told.evidence["background"] == pytest.approx(1 - share, abs=1e-3)
    assert f"{told.evidence['background']:.1%}" in Texts("en").message(told.advice)
    assert ("background" in Texts("en").message(told.title)) == (variant == "")


@pytest.mark.parametrize("name", checks)
def test_a_check_bears_a_bare_table(name: str) -> None:
    """A table may lack whatever the files did not say, and may be tiny."""
    bare = pl.DataFrame({"case": ["a", "b"], "label": ["healthy", "sick"]})
    assert isinstance(found_by(checks, name, Dataset(bare, ("healthy", "sick"), "sick", "data")), list)


def test_without_labels_all_but_comparisons_are_run(clean: Dataset, plant: Plant) -> None:
    """Every fault that is no comparison of classes is found all the same."""
    for name in ("blank", "drift", "duplicates", "orientation", "leakage_patients", "patients_reused", "noise"):
        fault = FAULTS[name](clean, plant)
        bare = fault.dataset.cases.with_columns(label=pl.lit(None, pl.String))
        found = audit(replace(fault.dataset, cases=bare, classes=(), positive=""))
        assert {"labels", name} <= {finding.check for finding in found}
        assert not {finding.check for finding in found} & set(COMPARING)


def forgetful(dataset: Dataset) -> list[Finding]:
    return []


def hasty(dataset: Dataset) -> list[Finding]:
    """Accuses the first case, whatever it is, and so depends on the order of the table as well."""
    return [Finding("blank", "warning", (dataset.cases["case"][0],))]


def test_the_suite_bites(clean: Dataset, plant: Plant) -> None:
    here = __name__

    class Faulty(Registry):
        def __getitem__(self, name: str) -> Callable[..., Any]:
            return {"forgetful": forgetful, "hasty": hasty}[name]

    registry = Faulty("check", {"forgetful": f"{here}:forgetful", "hasty": f"{here}:hasty"}, context=1)
    fault = FAULTS["blank"](clean, plant)
    with pytest.raises(AssertionError, match="does not find"):
        finds_its_fault(registry, "forgetful", fault)
    with pytest.raises(AssertionError, match="blames"):
        finds_its_fault(registry, "hasty", fault)
    with pytest.raises(AssertionError, match="accuses"):
        is_silent(registry, "hasty", clean)
    with pytest.raises(AssertionError, match="shards"):
        merges(registry, "hasty", clean)


def test_tables_joined_without_their_sketches_are_refused(clean: Dataset, plant: Plant) -> None:
    other = plant(lambda pixels: TOP - pixels, range(3))
    wrong = replace(clean, cases=pl.concat([clean.cases, other.cases[:3].with_columns(case=pl.col("case") + "-2")]))
    with pytest.raises(DataError, match=r"join data sets with Dataset\.of_shards"):
        audit(wrong)


def test_the_gravest_comes_first(clean: Dataset) -> None:
    both = copied(split(clean), "error", 0, 7).dataset
    unknown = replace(both, cases=both.cases.with_columns(patient=pl.lit(None, pl.String)))
    severities = [finding.severity for finding in audit(unknown, only=("patients_unknown", "label_conflicts"))]
    assert severities == ["error", "warning"]
