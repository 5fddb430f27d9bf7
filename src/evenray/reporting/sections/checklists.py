"""CLAIM 2024 and TRIPOD+AI, item by item: what the run can fill in, and what is for the authors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evenray.reporting.answers import Answer, answer
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["CLAIM", "TRIPOD", "context"]

# Each item's number with the answers of the run; + in front says that the rest of the item is for the authors, who have the
# items without an answer to themselves. CLAIM 2024: Tejani et al., Radiol Artif Intell 2024;6(4):e240300.
CLAIM: Mapping[str, str] = {
    "1": "+task", "2": "", "3": "", "4": "", "5": "", "6": "+goal", "7": "", "8": "+left_out", "9": "preparation quality",
    "10": "+left_out", "11": "+privacy", "12": "+missing", "13": "+acquisition", "14": "+outcome", "15": "", "16": "+readers",
    "17": "", "18": "+readers", "19": "parts", "20": "disjoint", "21": "+size", "22": "network", "23": "software",
    "24": "start", "25": "training", "26": "chosen", "27": "members", "28": "measures", "29": "uncertainty",
    "30": "+robustness stability", "31": "maps", "32": "internal", "33": "external", "34": "", "35": "flow", "36": "+known",
    "37": "performance", "38": "accuracy", "39": "failures", "40": "+limits", "41": "+decision", "42": "+repeat",
    "43": "+open", "44": "",
}  # fmt: skip
# TRIPOD+AI: Collins et al., BMJ 2024;385:e078378; 27 items, 52 with their parts.
TRIPOD: Mapping[str, str] = {
    "1": "+task", "2": "", "3a": "", "3b": "", "3c": "", "4": "+goal", "5a": "", "5b": "", "6a": "+sites", "6b": "+left_out",
    "6c": "", "7": "+preparation quality", "8a": "+outcome", "8b": "+readers", "8c": "", "9a": "pixels", "9b": "+acquisition",
    "9c": "nobody", "10": "+size", "11": "+missing left_out", "12a": "parts disjoint", "12b": "preparation",
    "12c": "network training chosen", "12d": "+clusters site_gaps", "12e": "measures uncertainty decision",
    "12f": "no_update updated", "12g": "predict", "13": "imbalance calibrated", "14": "+fairness gaps", "15": "output",
    "16": "+same_source drift", "17": "", "18a": "", "18b": "", "18c": "", "18d": "", "18e": "", "18f": "+open", "19": "",
    "20a": "+flow numbers", "20b": "+known", "20c": "+same_source drift", "21": "numbers", "22": "+predict open",
    "23a": "performance accuracy fairness external", "23b": "clusters site_gaps", "24": "no_update updated", "25": "",
    "26": "+limits", "27a": "+unfamiliar", "27b": "", "27c": "",
}  # fmt: skip
SOURCES = {
    "claim": "Tejani AS, Klontzas ME, Gatti AA, et al. Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024"
    " Update. Radiol Artif Intell 2024;6(4):e240300. doi:10.1148/ryai.240300",
    "tripod": "Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for reporting clinical prediction"
    " models that use regression or machine learning methods. BMJ 2024;385:e078378. doi:10.1136/bmj-2023-078378",
}


@dataclass(frozen=True)
class Item:
    """An item by its number: what it asks, what the run answers, and whether the authors have something to add."""

    number: str
    asks: str
    answers: list[Answer]
    yours: bool


@dataclass(frozen=True)
class Checklist:
    name: str
    source: str
    items: list[Item]

    @property
    def tally(self) -> dict[str, int]:
        """How many items are filled, filled in part, and for the authors."""
        kinds = ["yours" if not item.answers else "partly" if item.yours else "filled" for item in self.items]
        return {kind: kinds.count(kind) for kind in ("filled", "partly", "yours")}


@dataclass(frozen=True)
class Shown:
    lists: list[Checklist]


def context(run: RunView, say: Language) -> Shown:
    return Shown([_filled(name, items, run, say) for name, items in (("claim", CLAIM), ("tripod", TRIPOD))])


def _filled(name: str, items: Mapping[str, str], run: RunView, say: Language) -> Checklist:
    found = []
    for number, asked in items.items():
        answers = [one for one in (answer(each, run, say) for each in asked.removeprefix("+").split()) if one]
        yours = asked.startswith("+") or not answers
        found.append(Item(number, say(f"{name}.{number}"), answers, yours))
    return Checklist(name, SOURCES[name], found)
