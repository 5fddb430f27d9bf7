"""What becomes of the figures as images get worse, with the run's contrast and without."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.robustness import ALL, FEW, RobustnessRecord
from evenray.core.artefacts.scores import Gap
from evenray.images.corruptions import CORRUPTIONS
from evenray.metrics import holm
from evenray.reporting.figures.robustness import robustness
from evenray.reporting.figures.svg import ACCENT, OTHERS, Figure
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

FIGURES = ("auroc", "balanced_accuracy")


@dataclass(frozen=True)
class Shown:
    """`rows` have of each corruption, and last of all together, by figure what each network loses, how much steadier the first one
    is, and the p of that, corrected for the corruptions."""

    record: RobustnessRecord
    metrics: tuple[str, ...]
    figures: dict[str, list[Figure]]
    rows: list[tuple[str, dict[str, tuple[list[Gap], Gap | None, float | None]]]]
    verdicts: dict[str, str]
    few: bool


def context(run: RunView, say: Language) -> Shown | None:
    record = run.robustness if run.current else None
    if record is None:
        return None
    colours = dict(zip((network.contrast for network in record.networks), (ACCENT, OTHERS[0]), strict=False))
    figures = {
        metric: [
            Figure(say(f"corruption.{name}"), robustness(record, name, metric, colours, say), "")
            for name in CORRUPTIONS
        ]
        for metric in FIGURES
    }
    return Shown(record, FIGURES, figures, _rows(record), _verdicts(record), record.fewest < FEW)


def _rows(record: RobustnessRecord) -> list[tuple[str, dict[str, tuple[list[Gap], Gap | None, float | None]]]]:
    corrected = dict[str, dict[str, float]]()
    for metric in FIGURES if record.steadier else ():
        found = holm([record.steadier[name][metric].p for name in CORRUPTIONS])
        corrected[metric] = dict(zip(CORRUPTIONS, found.tolist(), strict=True)) | {ALL: record.steadier[ALL][metric].p}
    return [
        (
            name,
            {
                metric: (
                    [network.lost[name][metric] for network in record.networks],
                    record.steadier[name][metric] if record.steadier else None,
                    corrected[metric][name] if record.steadier else None,
                )
                for metric in FIGURES
            },
        )
        for name in (*CORRUPTIONS, ALL)
    ]


def _verdicts(record: RobustnessRecord) -> dict[str, str]:
    """Of each figure whether the run's own contrast makes the network steadier, less steady, neither is shown, or there are too few
    patients to judge by."""
    if not record.steadier:
        return {}
    if record.fewest < FEW:
        return dict.fromkeys(FIGURES, "too_few")
    overall = record.steadier[ALL]
    return {
        metric: "is_steadier" if overall[metric].low > 0 else "less_steady" if overall[metric].high < 0 else "not_shown"
        for metric in FIGURES
    }
