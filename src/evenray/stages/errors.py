"""The test cases that a model got wrong: what it missed, and what it called where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evenray.core.artefacts.explained import Attribution
from evenray.core.tags import ABSENT, PRESENT
from evenray.learning.tasks.task import Notable

from .answered import Answered, sought
from .attributing import Explained

__all__ = ["Errors", "errors_of"]

MOST = 40  # of a kind


@dataclass(frozen=True)
class Errors:
    """Entries of false negatives and false positives, the surest first, how many there are of each, and their pictures by name."""

    entries: Mapping[str, tuple[Attribution, ...]]
    counts: Mapping[str, int]
    pictures: Mapping[str, bytes]


def errors_of(explained: Explained) -> Errors:
    """Those of each class that is looked for, each with the map of that class: of what was missed, where little spoke for it.

    Of masks, a false negative is a class of which nothing was found where it is, a false positive one that was called in an image
    without it; of boxes alike. Objects that are not to be counted, and boxes on them, are neither.
    """
    predictions = explained.predictions
    answered = Answered.of(predictions, explained.cuts)
    known_NK = predictions.targets >= 0 if predictions.targets.ndim == 2 else np.ones_like(answered.has)
    wrong = {
        "false_negative": (answered.has & ~answered.found, answered.there),
        "false_positive": (answered.called & ~answered.has & known_NK, answered.told),
    }
    own = None if predictions.task in ("segment", "detect") else predictions.probabilities
    entries, counts, pictures = dict[str, tuple[Attribution, ...]](), dict[str, int](), dict[str, bytes]()
    for kind, (wrong_NK, told_NK) in wrong.items():
        p_NK = told_NK.clip(0, 1) if own is None else own
        pairs = [(i, k) for i, k in np.argwhere(wrong_NK).tolist() if k in sought(predictions)]
        pairs.sort(key=lambda pair: p_NK[pair] * (1 if kind == "false_negative" else -1))
        noted = [
            _noted(explained, answered, i, k, kind == "false_negative", float(p_NK[i, k])) for i, k in pairs[:MOST]
        ]
        found, drawn = explained.entries(noted, missed=kind == "false_negative")
        named = [one.model_copy(update={"image": f"{kind}_{one.image}", "map": f"{kind}_{one.map}"}) for one in found]
        entries[kind], counts[kind] = tuple(named), len(pairs)
        pictures |= {f"{kind}_{name}": content for name, content in drawn.items()}
    return Errors(entries, counts, pictures)


def _noted(explained: Explained, answered: Answered, i: int, k: int, missed: bool, p: float) -> Notable:
    """What is told of a case: what was said, with the probability of that, beside what is true; the map is of the class k."""
    predictions = explained.predictions
    table, name = predictions.table, predictions.classes[k]
    if predictions.task == "classify":
        said = int(answered.called[i].argmax())
        sure = float(predictions.probabilities[i, said])
        return Notable(table["case"][i], k, "", table["label"][i], predictions.classes[said], sure, mistake=True)
    true, told = (PRESENT, ABSENT) if missed else (ABSENT, PRESENT)
    return Notable(table["case"][i], k, name, true, told, 1 - p if missed else p, mistake=True)
