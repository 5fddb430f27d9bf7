"""The recipe: every setting of a run, grouped by the stages that depend on it. What is None is decided by the plan."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator, model_validator

from .errors import UsageError
from .evaluate_settings import EvaluateSettings, ViewSettings
from .explain_settings import ExplainSettings
from .plan_choices import CHOOSABLE, check_choice
from .scan_settings import ScanSettings
from .settings import DATA, MACHINE, SeedSettings, Settings, setting

__all__ = [
    "CHOOSABLE", "STAGES",  "AuditSettings", "BudgetSettings", "CompareSettings", "EvaluateSettings", "ExplainSettings", "Machine",
    "NestedSettings", "PlanSettings", "Recipe", "ReportSettings", "ScanSettings", "SplitSettings", "TrainSettings",
]  # fmt: skip

Specs = str | tuple[str, ...]
Pair = tuple[float, float]
FRACTION = "give a fraction of the patients above 0 and below 0.9, such as 0.2"


class ExclusionSettings(Settings):
    """What the user leaves out."""

    exclude: str | None = setting(
        None, "A CSV of cases to leave out, as 'evenray audit --propose-exclusions' writes it; '' takes it back.",
        panel=DATA, content="input",
    )  # fmt: skip


class AuditSettings(ExclusionSettings):
    """What the audit depends on."""


class EffortSettings(Settings):
    """The one dial."""

    effort: Literal["quick", "standard", "thorough"] = setting("standard", "How much computing time training may take.")


class SplitSettings(ExclusionSettings, SeedSettings, EffortSettings):
    """How the cases are divided."""

    design: Literal["auto", "split", "nested"] = setting(
        "auto", "split tests on one part; nested cross-validates the whole procedure by patient and trains the model for use on"
        " all; auto takes nested where a class has fewer than 50 patients.", panel=DATA,
    )  # fmt: skip
    test: float = setting(0.2, "The share of patients to test on.", panel=DATA, expected=FRACTION, gt=0, lt=0.9)
    validation: float = setting(
        0.15, "The share of patients to validate on.", panel=DATA, expected=FRACTION, gt=0, lt=0.9
    )

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> SplitSettings:
        if self.test + self.validation >= 0.95:
            raise UsageError(f"test {self.test} and validation {self.validation} leave nothing to train on.")
        return self


class RemedySettings(Settings):
    """The contrasts and remedies to compare, or the one to take of each."""

    contrast: Specs = setting(
        ("none", "equalize", "clahe"), "A contrast, such as 'clahe(clip=2)'; several are compared.", form="specs",
        expected="name one method or several, or none for no change", content="contrast", min_length=1,
    )  # fmt: skip
    balance: Specs | None = setting(
        None, "A remedy for class imbalance, such as oversample; several are compared. By default none, weighted and oversample;"
        " of masks none, weighted and dice_cross_entropy; of boxes none, weighted and focal.",
        form="specs", expected="name one method or several, or none for no change",
    )  # fmt: skip

    @field_validator("balance")
    @classmethod
    def _names_a_remedy(cls, balance: Specs | None) -> Specs | None:
        if balance is not None and not len(balance):
            raise ValueError
        return balance

    @property
    def contrasts(self) -> tuple[str, ...]:
        """The contrasts to compare; a single one is taken without comparison."""
        return _several(self.contrast)

    @property
    def balances(self) -> tuple[str, ...]:
        """The remedies to compare; a single one is taken without comparison, and none named leaves it to the task."""
        return _several(self.balance)


class MethodSettings(RemedySettings):
    """What is compared beside contrasts and remedies."""

    network: Specs | None = setting(
        None, "A network, such as vgg16_bn or 'vgg16(head=classical)'; several are compared.", form="specs"
    )
    imbalance: Specs = setting(
        (), "Thin the positive class in the comparison's training folds, as 1:50; several show what each remedy does as it"
        " becomes rare.", form="specs",
    )  # fmt: skip

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks named; several are compared."""
        return _several(self.network)

    @property
    def imbalances(self) -> tuple[str, ...]:
        """The ratios that the comparison thins its training folds to; none where it takes them as they are."""
        return _several(self.imbalance)


class FlipSettings(Settings):
    """Whether left and right matter."""

    flips: bool = setting(False, "Mirror training images; only where left and right do not matter.")


class TrainSettings(FlipSettings, SeedSettings):
    """How a network is trained, beside what the plan decides."""

    pretrained: str | None = setting(
        None, "Trained weights to start from: a name that 'evenray weights list' shows, or a file; none for from scratch. Left"
        " out, the plan considers the weights at hand.", content="file",
    )  # fmt: skip
    finetune: str = setting(
        "all",
        "Which of the trained weights may change: all, last(2) for the last two blocks, or frozen for the head alone.",
    )
    scale_jitter: Pair | None = setting(
        None, "LOW,HIGH: train on random crops of images at a random multiple of --size; the VGG paper's 256 to 512 pixels are"
        " 1.14,2.29.", form="pair",
        expected="give LOW,HIGH with 1 <= LOW <= HIGH <= 8, multiples of the size of the images", example="1.14,2.29",
    )  # fmt: skip

    patch: int | None = setting(
        None,
        "Of masks and boxes: look at patches of this side, cut out of images of --size, or as they come; by default at whole"
        " images, of boxes at patches where objects would be too small.",
        ge=28,
    )

    @field_validator("scale_jitter")
    @classmethod
    def _larger_than_the_images(cls, pair: Pair | None) -> Pair | None:
        if pair is not None and not 1 <= pair[0] <= pair[1] <= 8:
            raise ValueError
        return pair

    @property
    def weights(self) -> str | None:
        """The weights asked for; None where none are."""
        return None if self.pretrained == "none" else self.pretrained

    @property
    def frozen(self) -> bool:
        """Whether the trunk stays as its weights are, so that its features can be kept."""
        return self.finetune.strip().startswith("frozen")


class BudgetSettings(SeedSettings, EffortSettings):
    """How much a training may cost, and what the plan is told of it."""

    size: int | None = setting(None, "The side of the images in pixels.", ge=28)
    epochs: int | None = setting(None, "The number of epochs.", ge=1)
    batch: int | None = setting(None, "The number of images a step.", ge=1)
    learning_rate: float | None = setting(
        None, "The highest learning rate of AdamW.", expected="give a number above 0", example="0.001", gt=0
    )


class CompareSettings(MethodSettings, TrainSettings):
    """What the comparison depends on beside the plan."""

    seeds: int = setting(3, "How many times the comparison trains every cell, each from another seed.", ge=1)
    metric: str | None = setting(
        None,
        "The metric that the comparison ranks by: by default auprc, of masks dice, of boxes map50.",
        example="auroc",
    )


class PlanSettings(BudgetSettings, CompareSettings):
    """What the plan decides, or is told."""

    patience: int | None = setting(
        None,
        "The number of epochs without a better validation figure after which training stops; 0 never stops it.",
        ge=0,
    )
    folds: int | None = setting(None, "The number of folds of the comparison.", ge=2)
    search: Literal["auto", "grid", "halving"] = setting(
        "auto", "grid trains every cell fully, halving stops the weak ones early; auto takes halving for large grids."
    )
    choose: dict[str, Any] | None = setting(
        None, f"NAME=VALUE: decide what else the plan would, of: {', '.join(CHOOSABLE)}.", form="values"
    )

    @model_validator(mode="after")
    def _choices_fit(self) -> PlanSettings:
        for name, value in (self.choose or {}).items():
            check_choice(name, value)
        if "compare_networks" in (self.choose or {}) and (len(self.networks) > 1 or self.frozen):
            why = "a frozen trunk is compared as it is" if self.frozen else "several networks are compared as they are"
            raise UsageError(f"compare_networks cannot be chosen here: {why}; leave it out.")
        return self


class NestedSettings(SplitSettings, PlanSettings, ViewSettings):
    """What the outer folds of a nested cross-validation depend on: the whole procedure is repeated in each."""


class ReportSettings(Settings):
    """How the pages are written."""

    lang: Literal["en", "ko"] = setting("en", "The language of the pages.", panel=MACHINE)


class Recipe(ScanSettings, SplitSettings, PlanSettings, EvaluateSettings, ExplainSettings):
    """Every setting of a run. The one dial is `effort`; every other has a default or is planned from the data.

    `contrast` and `balance` are specs; several, as a tuple, are compared and the evidence chooses. Fractions are of
    patients. None means: the plan decides, and says why in plan.json; `choose` names what else of the plan is to be
    otherwise, such as {"keep": "last"}. Raises UsageError for a value that cannot be.

    >>> Recipe(contrast="clahe(clip=2)").contrasts
    ('clahe(clip=2)',)
    >>> Recipe.of({"seed": 3, "balance": ["none", "weighted"]}).balances
    ('none', 'weighted')
    """

    allow: tuple[str, ...] = setting(
        (), "Go on in spite of a finding that makes results void: leakage_patients, leakage_duplicates. The report says so at"
        " its top.", panel=DATA, form="names",
    )  # fmt: skip


# The stages of a run in their order, each with the settings that it depends on.
STAGES: dict[str, type[Settings]] = {
    "scan": ScanSettings,
    "audit": AuditSettings,
    "split": SplitSettings,
    "plan": PlanSettings,
    "compare": CompareSettings,
    "train": TrainSettings,
    "evaluate": EvaluateSettings,
    "explain": ExplainSettings,
    "report": ReportSettings,
}


class Machine(Settings):
    """Where and how the work is done; no result depends on it, but for the kind of the device."""

    device: str = setting("auto", "auto, cpu, cuda or cuda:1.", panel=MACHINE)
    save_every: float = setting(10.0, "Minutes between checkpoints within an epoch.", panel=MACHINE, ge=0)
    jobs: int = setting(0, "Processes that read images; 0 is one a core.", panel=MACHINE, ge=0)
    engine: str = setting("local", "What reads and prepares images: local, dask or ray.", panel=MACHINE)
    address: str | None = setting(
        None, "The cluster of the engine, such as tcp://host:8786; without one it is started here.", panel=MACHINE
    )


def _several(value: Specs | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)
