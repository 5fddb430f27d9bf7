"""The loud notices on top of the page: everything that makes the numbers mean less than they seem to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from evenray.core.artefacts.scores import BaselineScores, Figure
from evenray.core.findings import SEVERITIES, Finding, Severity
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["Notice", "notices"]

WIDE = 0.15  # width of the 95 % interval of the test AUROC above which little can be told apart
FEW = 10  # test patients below which intervals of masks and boxes rest on assumptions
SHOWN = 6


@dataclass(frozen=True)
class Notice:
    """One notice; `target` is the part of the page that says more."""

    severity: Severity
    title: str
    text: str
    target: str = ""
    more: str = ""  # what the run did about it


def notices(run: RunView, say: Language) -> list[Notice]:
    """All that apply, the gravest first."""
    found = [*_errors(run, say), *_clear_shortcuts(run, say), *_data(run, say), *_test(run, say)]
    return sorted(found, key=lambda notice: SEVERITIES.index(notice.severity))


def _errors(run: RunView, say: Language) -> list[Notice]:
    if run.findings is None:
        return []
    allowed = run.recipe.allow if run.recipe else ()
    errors = [(n, finding) for n, finding in enumerate(run.findings) if finding.severity == "error"]
    errors.sort(key=lambda error: error[1].check not in allowed)
    found = [
        Notice(
            "error", f"{say.message(finding.title)}.", say.message(finding.advice), f"finding-{n}",
            _done(run, say, finding, allowed),
        )
        for n, finding in errors[:SHOWN]
    ]  # fmt: skip
    if len(errors) > SHOWN:
        found.append(Notice("error", say("notice.more", n=len(errors) - SHOWN), say("notice.more_text"), "audit"))
    return found


def _clear_shortcuts(run: RunView, say: Language) -> list[Notice]:
    """What the label can be told from that is no finding: header, size, grey levels, border."""
    found = []
    for n, finding in enumerate(run.findings or ()):
        if not finding.check.startswith("shortcut_") or finding.severity != "warning":
            continue
        area = finding.evidence
        interval = say.interval(area["low"], area["high"])
        told = f"{say.name('metric', 'auroc')} {say.number(area['auroc'])} ({interval})."
        found.append(
            Notice("warning", f"{say.message(finding.title)}.", say.message(finding.advice), f"finding-{n}", told)
        )
    return found


def _done(run: RunView, say: Language, finding: Finding, allowed: tuple[str, ...]) -> str:
    """What was done about an error: let through by name, or so many of its cases left out by the split."""
    said = [say("notice.allowed", check=finding.check)] if finding.check in allowed else []
    if run.cases is not None and "part" in run.cases.columns:
        n = run.cases.filter(pl.col("case").is_in(finding.cases) & (pl.col("part") == "excluded")).height
        said += [say("notice.left_out", n=say.count(n))] if n else []
    return " ".join(said)


def _data(run: RunView, say: Language) -> list[Notice]:
    found = []
    if run.facts.synthetic:
        found.append(Notice("warning", say("notice.synthetic"), say("notice.synthetic_text"), "data"))
    if run.names_files:
        found.append(Notice("warning", say("notice.names"), say("notice.names_text"), "data"))
    if run.facts.patients_known is False:
        found.append(Notice("warning", say("notice.patients"), say("notice.patients_text"), "limits"))
    if run.rejected is not None and run.rejected.height:
        text = say("notice.rejected_text", n=say.count(run.rejected.height))
        found.append(Notice("info", say("notice.rejected"), text, "data"))
    return found


def _test(run: RunView, say: Language) -> list[Notice]:
    found = []
    opened = run.ledger.test_opened
    if len(opened) > 1:
        text = say("notice.opened_text", n=len(opened))
        found.append(Notice("warning", say("notice.opened"), text, "repeat"))
    if not run.current:
        found.append(Notice("warning", say("notice.stale"), say("notice.stale_text"), "repeat"))
    found += _shortcuts(run, say)
    if run.marked and run.test is not None:
        found += (_boxes if run.facts.task == "detect" else _masks)(run.test.metrics, say)
        if run.test.patients < FEW:
            text = say("notice.few_text", n=say.count(run.test.patients))
            found.append(Notice("warning", say("notice.few"), text, "metrics"))
    auroc = run.auroc
    if auroc is None:
        return found
    found += _baselines(run, say)
    interval = say.interval(auroc.low, auroc.high)
    if auroc.low <= 0.5 <= auroc.high:
        found.append(Notice("error", say("notice.chance"), say("notice.chance_text", interval=interval), "metrics"))
    elif auroc.high - auroc.low > WIDE:
        found.append(Notice("warning", say("notice.wide"), say("notice.wide_text", interval=interval), "metrics"))
    return found


def _shortcuts(run: RunView, say: Language) -> list[Notice]:
    """What the answers hang on that is no part of what is looked for."""
    found = []
    for name in run.attributions.shortcuts if run.attributions else ():
        check = run.attributions.check(f"{name}_covered") if run.attributions else None
        if check is not None:
            values = {"value": say.number(check.value), "low": say.number(check.low), "high": say.number(check.high)}
            found.append(Notice("error", say(f"notice.{name}"), say(f"notice.{name}_text", **values), "attribution"))
    return found


def _masks(figures: Mapping[str, Figure], say: Language) -> list[Notice]:
    """Whether masks overlap more than by marking every pixel, and how sure that is."""
    gain, dice = figures["dice_gain"], figures["dice"]
    if np.isnan(gain.low) and gain.value > 0:
        return [_unbounded("dice", dice, say)]
    if not gain.low > 0:
        interval = say.interval(gain.low, gain.high)
        return [
            Notice("error", say("notice.masks_chance"), say("notice.masks_chance_text", interval=interval), "metrics")
        ]
    if dice.high - dice.low > WIDE:
        interval = say.interval(dice.low, dice.high)
        return [Notice("warning", say("notice.wide"), say("notice.masks_wide_text", interval=interval), "metrics")]
    return []


def _boxes(figures: Mapping[str, Figure], say: Language) -> list[Notice]:
    """Whether anything is found, and how sure the average precision is."""
    ap = figures["map50"]
    if np.isnan(ap.low) and ap.value > 0:
        return [_unbounded("map50", ap, say)]
    interval = say.interval(ap.low, ap.high)
    if not ap.low > 0:
        return [
            Notice("error", say("notice.boxes_chance"), say("notice.boxes_chance_text", interval=interval), "metrics")
        ]
    if ap.high - ap.low > WIDE:
        return [Notice("warning", say("notice.wide"), say("notice.boxes_wide_text", interval=interval), "metrics")]
    return []


def _unbounded(metric: str, figure: Figure, say: Language) -> Notice:
    """A figure that nothing is known to be better by, as it has no interval."""
    text = say("notice.unbounded_text", metric=say.name("metric", metric), value=say.number(figure.value))
    return Notice("warning", say("notice.unbounded"), text, "metrics")


def _baselines(run: RunView, say: Language) -> list[Notice]:
    """Whether a model that takes seconds does as well: that from which the network is the least apart. Where a lead has no interval,
    none is shown."""

    def least_lead(simple: BaselineScores) -> float:
        gap = simple.network_ahead["auroc"]
        return min(gap.value, 0.0) if np.isnan(gap.low) else gap.low

    least = min(run.results.baselines if run.results else (), key=least_lead, default=None)
    if least is None or least_lead(least) > 0:
        return []
    gap = least.network_ahead["auroc"]
    kind = "behind" if gap.value <= 0 else "unclear"
    values = {
        "model": say.word("simple", least.name), "auroc": say.number(least.metrics["auroc"].value),
        "gap": say.signed(gap.value), "low": say.signed(gap.low), "high": say.signed(gap.high),
    }  # fmt: skip
    severity: Severity = "error" if kind == "behind" else "warning"
    text = "notice.worth_text_alone" if np.isnan(gap.low) else "notice.worth_text"
    return [Notice(severity, say(f"notice.worth_{kind}"), say(text, **values), "baselines")]
