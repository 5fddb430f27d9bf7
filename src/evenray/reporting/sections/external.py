"""External tests: other hospitals' images beside the internal test, how they differ, and what explains a loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evenray.core.artefacts.external import Change, DriftRecord, ExternalRecord
from evenray.core.artefacts.scores import Figure
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

ORDER = (
    "auroc", "auprc", "dice", "iou", "hd95", "volume_error", "map50", "map", "froc", "sensitivity_at_1", "balanced_accuracy",
    "sensitivity", "specificity", "ppv", "npv", "accuracy", "f1", "mcc", "weighted_kappa", "grade_error", "brier", "log_loss", "ece",
    "calibration_slope", "calibration_in_the_large", "oe_ratio",
)  # fmt: skip
FIRST = ("auroc", "dice", "map50", "sensitivity", "specificity", "ppv", "calibration_slope", "calibration_in_the_large")
SHOWN = 20  # classes whose shares are told one by one


@dataclass(frozen=True)
class Notice:
    severity: str
    title: str
    text: str


@dataclass(frozen=True)
class Test:
    """One external test; `alone` on a page of its own, where everything is told."""

    record: ExternalRecord
    verdict: str
    over: str
    why: list[str]
    notices: list[Notice]
    drift: tuple[DriftRecord, ...]
    flagged: str
    prevalence: list[tuple[str, Change]]
    changes: list[tuple[str, Change]]
    units: str
    parts: list[tuple[str, Figure, str]]
    domain: tuple[float, float]


@dataclass(frozen=True)
class Shown:
    tests: list[Test]
    alone: bool


def context(run: RunView, say: Language) -> Shown | None:
    alone = run.folder.has(ExternalRecord.file)
    records: Iterable[ExternalRecord] = [ExternalRecord.read(run.path)] if alone else run.external.values()
    tests = [_test(record, say, alone) for record in records]
    return Shown(tests, alone) if tests else None


def _test(record: ExternalRecord, say: Language, alone: bool) -> Test:
    names = sorted(record.changes, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    changes = [(name, record.changes[name]) for name in names if alone or name in FIRST]
    ends = [abs(end) for one in _losses(record) for end in (one.low, one.high) if end == end]
    reach = 1.05 * max(ends, default=1.0)
    drift = record.drift if alone else tuple(one for one in record.drift if one.shown)
    return Test(
        record, _verdict(record, say), _over(record, say), _why(record, say), _notices(record, say), drift, _flagged(record, say),
        list(record.prevalence.items())[:SHOWN], changes, _units(record, say) if alone else "",
        [(say(f"external.part.{name}"), _figure(one.value, one.low, one.high), say(f"external.part.{name}.text"))
         for name, one in record.parts.items()],
        (-reach, reach),
    )  # fmt: skip


def _over(record: ExternalRecord, say: Language) -> str:
    """Which classes or findings both sets are measured on, where these are not all."""
    if not record.over:
        return ""
    kind = record.task if record.task in ("classify", "tag") else "marked"
    return say(f"external.over.{kind}", classes=", ".join(record.over))


def _units(record: ExternalRecord, say: Language) -> str:
    """What distances and areas are in, or why there are none."""
    if record.units is None:
        return ""
    here, inside = record.units
    return say(f"external.units.{'same' if here == inside else 'apart'}", here=here, inside=inside)


def _losses(record: ExternalRecord) -> list[Figure]:
    whole = [record.total] if record.total is not None else []
    return [_figure(one.value, one.low, one.high) for one in (*record.parts.values(), *whole)]


def _figure(value: float, low: float, high: float) -> Figure:
    return Figure(value=value, low=low, high=high, baseline=float("nan"))


def _verdict(record: ExternalRecord, say: Language) -> str:
    """Whether the main figure fell, in a sentence."""
    fall, metric = record.fall, say.name("metric", record.main)
    if not record.changes:
        return say("external.over.none")
    if fall is None or fall.value != fall.value:
        return say("external.verdict.unknown", metric=metric)
    values = {
        "metric": metric, "external": say.number(fall.external.value), "internal": say.number(fall.internal.value),
        "change": say.signed(fall.value), "low": say.signed(fall.low), "high": say.signed(fall.high),
    }  # fmt: skip
    kind = "fell" if fall.high < 0 else "rose" if fall.low > 0 else "same" if fall.low == fall.low else "unbounded"
    return say(f"external.verdict.{kind}", **values)


def _why(record: ExternalRecord, say: Language) -> list[str]:
    """What explains the loss, in sentences, the most important first."""
    if not record.changes:
        return []
    if not record.causes:
        if record.total is None:
            return [say("external.cause.none_marked")]
        return [say("external.cause.none"), *([say("external.cause.none_but")] if record.total.low > 0 else [])]
    told, light = [say(f"external.cause.{name}") for name in record.causes], record.light
    if light is not None and light.part == light.part:
        values = {
            "metric": say.name("metric", light.metric), "before": say.number(light.before.value),
            "after": say.number(light.after.value), "part": say.percent(min(max(light.part, 0.0), 1.0), 0),
            "low": say.signed(light.low), "high": say.signed(light.high),
        }  # fmt: skip
        sentence = say("external.light.explains" if "light" in record.causes else "external.light.does_not", **values)
        told.insert(1, f"{say('external.light.inverted')} {sentence}" if light.inverted else sentence)
    others = [say.word("drift", one.name) for one in record.drift if one.shown and one.name != "light"]
    if others and "light" not in record.causes and set(record.causes) - {"prevalence"}:
        told.append(say("external.others", what=", ".join(others)))
    return told


def _notices(record: ExternalRecord, say: Language) -> list[Notice]:
    found, copies = [], record.copies

    def add(severity: str, key: str, **values: object) -> None:
        found.append(Notice(severity, say(f"external.notice.{key}"), say(f"external.notice.{key}.text", **values)))

    if "leakage_duplicates" in copies.allowed:
        add(
            "error",
            "copies",
            count=len(copies.pixels) + len(copies.tested) + len(copies.near),
            cases=say.count(record.cases),
        )
    if "leakage_patients" in copies.allowed:
        add("error", "patients", count=len(copies.patients), cases=say.count(record.cases))
    if copies.left_out:
        add("info", "left_out", count=copies.left_out)
    if not copies.compared:
        add("info", "not_compared")
    if record.missing:
        add("warning", "missing", classes=", ".join(record.missing))
    if record.aside:
        add("warning", "aside", classes=", ".join(f"{name} ({count})" for name, count in record.aside.items()))
    if record.unlabelled:
        add("info", "unlabelled", count=record.unlabelled)
    if record.names:
        add("info", "names", classes=", ".join(f"{theirs} → {ours}" for theirs, ours in record.names.items()))
    if record.recalibrated is not None:
        add(
            "warning",
            "recalibrated",
            cases=record.recalibrated.fitted_cases,
            patients=record.recalibrated.fitted_patients,
        )
    return found


def _flagged(record: ExternalRecord, say: Language) -> str:
    if record.flagged is None or record.false_flags is None:
        return say("external.flagged.unknown")
    return say(
        "external.flagged", count=record.flagged, cases=say.count(record.cases), share=say.percent(record.flagged / record.cases),
        expected=say.percent(record.false_flags),
    )  # fmt: skip
