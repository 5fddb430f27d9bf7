"""The recipe: everything a user may decide, frozen, saved with every run. What is None is decided by the plan."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from .errors import UsageError, unknown_name

__all__ = ["Recipe"]

Effort = Literal["quick", "standard", "thorough"]
# Choices of the plan that have no option of their own: the values, or the least whole number, that each takes; str is a spec.
CHOOSABLE: dict[str, tuple[Any, ...] | int | type[str]] = {
    "channels": (1, 3), "members": 1, "keep": ("best", "last"), "compare_networks": str, "compare_size": 28, "compare_epochs": 1,
    "compare_cases": 20,
}  # fmt: skip
Search = Literal["auto", "grid", "halving"]


@dataclass(frozen=True)
class Recipe:
    """What is asked of a run. The one dial is `effort`; every other choice has a default or is planned from the data.

    `contrast` and `balance` are specs; several, as a tuple, are compared and the evidence chooses. Fractions are of
    patients. None means: the plan decides, and says why in plan.json; `choose` names what
    else of the plan is to be otherwise, such as {"keep": "last"}.

    >>> Recipe(contrast="clahe(clip=2)").contrasts
    ('clahe(clip=2)',)
    >>> Recipe.of({"seed": 3, "balance": ["none", "weighted"]}).balances
    ('none', 'weighted')
    >>> Recipe(test=1.5)
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: test is 1.5; give a fraction of the patients above 0 and below 0.9, such as 0.2.
    """

    contrast: str | tuple[str, ...] = ("none", "equalize", "clahe")
    network: str | tuple[str, ...] | None = None
    balance: str | tuple[str, ...] = ("none", "weighted", "oversample")
    effort: Effort = "standard"
    weights: str | None = None
    finetune: str = "all"
    size: int | None = None
    epochs: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    patience: int | None = None
    folds: int | None = None
    choose: dict[str, Any] | None = None
    seeds: int = 1
    metric: str = "auprc"
    search: Search = "auto"
    imbalance: str | tuple[str, ...] = ()
    flips: bool = False
    scale_jitter: tuple[float, float] | None = None
    views: str | None = None
    test: float = 0.2
    validation: float = 0.15
    threshold: str = "youden"
    calibration: str = "temperature"
    prevalence: float | dict[str, float] | None = None
    value_range: tuple[float, float] | None = None
    patient: str | None = None
    labels: str | None = None
    positive: str | None = None
    exclude: str | None = None
    allow: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("test", "validation"):
            value = getattr(self, name)
            if not 0 < value < 0.9:
                raise UsageError(
                    f"{name} is {value}; give a fraction of the patients above 0 and below 0.9, such as 0.2."
                )
        if self.test + self.validation >= 0.95:
            raise UsageError(f"test {self.test} and validation {self.validation} leave nothing to train on.")
        for name, lowest in (
            ("size", 28),
            ("epochs", 1),
            ("batch", 1),
            ("folds", 2),
            ("seeds", 1),
            ("patience", 0),
            ("seed", 0),
        ):
            value = getattr(self, name)
            if value is not None and value < lowest:
                raise UsageError(f"{name} is {value}; give a whole number from {lowest} up.")
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise UsageError(f"learning_rate is {self.learning_rate}; give a number above 0, such as 0.001.")
        for name, value in (self.choose or {}).items():
            _check_choice(name, value)
        if "compare_networks" in (self.choose or {}) and (len(self.networks) > 1 or self.frozen):
            why = (
                "several networks are compared as they are"
                if not self.frozen
                else "a frozen trunk is compared as it is"
            )
            raise UsageError(f"compare_networks cannot be chosen here: {why}; leave it out.")
        for name in ("contrast", "balance"):
            if not getattr(self, name):
                raise UsageError(f"{name} is empty; name one method or several, or none for no change.")
        for name, known in (("effort", get_args(Effort)), ("search", get_args(Search))):
            if getattr(self, name) not in known:
                raise UsageError(f"{name} is '{getattr(self, name)}'; give {', '.join(known[:-1])} or {known[-1]}.")
        if self.scale_jitter is not None and not (
            len(self.scale_jitter) == 2 and 1 <= self.scale_jitter[0] <= self.scale_jitter[1] <= 8
        ):
            raise UsageError(
                f"scale_jitter is {self.scale_jitter}; give LOW,HIGH with 1 <= LOW <= HIGH <= 8, multiples of the size of the"
                " images, such as 1.14,2.29."
            )
        if self.value_range is not None and not (
            len(self.value_range) == 2 and -math.inf < self.value_range[0] < self.value_range[1] < math.inf
        ):
            raise UsageError(f"value_range is {self.value_range}; give LOW,HIGH with LOW below HIGH, such as 0,4095.")

    @property
    def contrasts(self) -> tuple[str, ...]:
        """The contrasts to compare; a single one is taken without comparison."""
        return _several(self.contrast)

    @property
    def balances(self) -> tuple[str, ...]:
        """The remedies to compare; a single one is taken without comparison."""
        return _several(self.balance)

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks named; several are compared."""
        return _several(self.network)

    @property
    def imbalances(self) -> tuple[str, ...]:
        """The ratios that the comparison thins its training folds to; none where it takes them as they are."""
        return _several(self.imbalance)

    @property
    def frozen(self) -> bool:
        """Whether the trunk stays as its weights are, so that its features can be kept."""
        return self.finetune.strip().startswith("frozen")

    def but(self, **changes: Any) -> Recipe:
        """The same recipe with some things changed."""
        return replace(self, **changes)

    def asked(self) -> dict[str, Any]:
        """The recipe as JSON-able values."""
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Recipe:
        """The recipe that `asked` wrote."""
        known = {field.name for field in fields(cls)}
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        return cls(**given)


def _check_choice(name: str, value: Any) -> None:
    if name not in CHOOSABLE:
        raise unknown_name("choice of the plan without an option of its own", name, CHOOSABLE)
    allowed = CHOOSABLE[name]
    if isinstance(allowed, int):
        if type(value) is not int or value < allowed:
            raise UsageError(f"{name} is {value}; give a whole number from {allowed} up.")
    elif isinstance(allowed, tuple):
        if value not in allowed:
            raise UsageError(f"{name} is {value}; give {' or '.join(map(str, allowed))}.")
    elif not isinstance(value, allowed):
        raise UsageError(f"{name} is {value}; give one network, such as 'vgg11_bn(width=0.25)'.")


def _several(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)
