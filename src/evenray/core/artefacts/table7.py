"""table7.json: how a run's Table 7 came about."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from .plan import PlanChoice
from .record import Number, Record

__all__ = ["Member", "Table7Record"]


class Member(BaseModel):
    """A net of the table: the loss of its last epoch, its parameters, and the seconds that it took to train."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    net: str
    loss: Number
    parameters: int
    seconds: float


class Table7Record(Record):
    """The budget that all nets share, and what they cost; `cases` are the images of each part."""

    file: ClassVar[str] = "table7.json"

    version: int = 2
    choices: tuple[PlanChoice, ...]
    contrast: str
    balance: str
    flips: bool
    classes: tuple[str, ...]
    nets: int
    cases: dict[str, int]
    training_seconds: float
    evaluation_seconds: float
    members: tuple[Member, ...]

    def sentences(self) -> list[str]:
        """How the table came about, for its foot."""
        value = {choice.name: choice.value for choice in self.choices}
        return [
            f"{self.nets} nets, each trained on {self.cases['train']} images from the same recipe: {value['size']} pixels,"
            f" {value['width']:g} of the papers' channels, {value['epochs']} epochs, batches of {value['batch']}, AdamW at"
            f" {value['learning_rate']:g}, one cycle; contrast {self.contrast}, remedy {self.balance}.",
            f"Validation {self.cases['validation']} cases, test {self.cases['test']}; 95 % intervals over patients. No figure"
            " of the validation part chose anything.",
            f"Mirror images {'were' if self.flips else 'were not'} shown (--flips).",
            f"Training took {self.training_seconds / 60:.1f} minutes, evaluation {self.evaluation_seconds / 60:.1f};"
            " a net that several rows share was trained once and counts in each.",
        ]
