"""What a run can answer about its data."""

from __future__ import annotations

from collections.abc import Mapping

from evenray.core.findings import SEVERITIES
from evenray.core.types import PARTS
from evenray.reporting.characteristics import characteristics
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

DREW = {"annotations.readers": "readers_masks", "annotations.readers_of_boxes": "readers_boxes"}  # notes of the scan
Found = tuple[str, Mapping[str, str | int]] | None  # the key of a text, and its values


def _classes(run: RunView) -> str:
    some = ", ".join(run.classes[:6])
    return some + (", ..." if len(run.classes) > 6 else "")


def task(run: RunView, say: Language) -> Found:
    return (f"task.{run.facts.task}", {"classes": _classes(run)}) if run.classes and not run.unlabelled else None


def quality(run: RunView, say: Language) -> Found:
    if run.findings is None:
        return None
    return "quality", {level: sum(each.severity == level for each in run.findings) for level in SEVERITIES}


def _counts(run: RunView) -> dict[str, int] | None:
    if run.cases is None:
        return None
    parts = run.cases["part"] if "part" in run.cases.columns else None
    excluded = int((parts == "excluded").sum() or 0) if parts is not None else 0
    rejected = 0 if run.rejected is None else run.rejected.height
    return {"images": run.cases.height - excluded, "excluded": excluded, "rejected": rejected}


def patients_known(run: RunView) -> bool:
    """Whether the patient of every case that is used is known."""
    return not run.used.is_empty() and not run.used["patient"].null_count()


def parts_given(run: RunView) -> bool:
    """Whether the data say themselves what is tested on."""
    table = run.folder.read_table("cases.parquet") if run.folder.has("cases.parquet") else None
    return table is not None and "part" in table.columns and bool((table["part"] == "test").any())


def left_out(run: RunView, say: Language) -> Found:
    counts = _counts(run)
    return ("left_out", counts) if counts else None


def flow(run: RunView, say: Language) -> Found:
    counts = _counts(run)
    if not counts:
        return None
    told = {name: say.count(n) for name, n in counts.items()}
    if not patients_known(run):
        return "flow", told
    return "flow_patients", told | {"patients": say.count(run.used["patient"].n_unique())}


def privacy(run: RunView, say: Language) -> Found:
    return None if run.about is None else ("privacy_names" if run.names_files else "privacy", {})


def missing(run: RunView, say: Language) -> Found:
    counts = _counts(run)
    return ("missing_findings" if run.tags and not run.marked else "missing", counts) if counts else None


def acquisition(run: RunView, say: Language) -> Found:
    return ("acquisition", {}) if run.cases is not None else None


def readers(run: RunView, say: Language) -> Found:
    if run.ratings is not None:
        return "readers", {"n": run.ratings["reader"].n_unique()}
    drew = {note.code: note.values["count"] for note in run.facts.notes if note.code in DREW}
    return next(((DREW[code], {"n": int(str(count))}) for code, count in drew.items()), None)


def parts(run: RunView, say: Language) -> Found:
    seed = run.recipe.seed if run.recipe else 0
    if run.nested is not None:
        return "parts_nested", {"folds": run.nested.folds, "repeats": run.nested.repeats, "seed": seed}
    if run.cases is None or not run.parts:
        return None
    key = "parts_given" if parts_given(run) else "parts" if patients_known(run) else "parts_images"
    return key, {part: say.count(int((run.cases["part"] == part).sum())) for part in PARTS} | {"seed": seed}


def disjoint(run: RunView, say: Language) -> Found:
    if run.used.is_empty():
        return None
    if run.used["patient"].null_count():
        return "disjoint_unknown", {}
    return ("disjoint_torn", {"n": len(run.torn)}) if run.torn else ("disjoint", {})


def known(run: RunView, say: Language) -> Found:
    found = characteristics(run, say)
    return ("known", {"columns": ", ".join(name for name, _ in found.rows)}) if found else None


def sites(run: RunView, say: Language) -> Found:
    if run.cases is None or "site" not in run.cases.columns or not run.cases["site"].drop_nulls().len():
        return None
    return "sites", {"n": run.cases["site"].drop_nulls().n_unique()}


def outcome(run: RunView, say: Language) -> Found:
    if not run.classes or run.unlabelled:
        return None
    told = {"classes": _classes(run), "positive": run.positive}
    return ("outcomes" if run.tags else "outcome"), told


def same_source(run: RunView, say: Language) -> Found:
    return ("same_source", {}) if run.parts else None


def numbers(run: RunView, say: Language) -> Found:
    if run.cases is None or not run.parts:
        return None
    known, told = patients_known(run), []
    for part in run.parts:
        own = run.cases.filter(part=part)
        values = {"part": say(f"part.{part}"), "images": say.count(own.height)}
        if known:
            values["patients"] = say.count(own["patient"].n_unique())
        of = [] if run.tags else [f"{name} {say.count(int((own['label'] == name).sum()))}" for name in run.classes[:6]]
        text = say("answer.number_patients" if known else "answer.number", **values)
        told.append(text + (f" ({', '.join(of)})" if of else ""))
    return "numbers", {"parts": "; ".join(told)}
