"""plan.json: what a run trains and compares, each choice with its reason, and the data's fingerprint that it follows from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from evenray.core.errors import DataError
from evenray.core.messages import Message

from .record import Record

__all__ = ["ASKED", "Fingerprint", "Plan", "PlanChoice", "Planned", "of_a_message"]

ASKED = Message("plan.asked")  # the reason of whatever the user has set


def of_a_message(plain: Any) -> Any:
    """The JSON of a message itself, as a validator of fields; ValueError for anything else."""
    try:
        Message.of(plain)
    except DataError as error:
        raise ValueError("a code and its values were expected") from error
    return plain


class PlanChoice(BaseModel):
    """A setting, its value, and why it was chosen.

    >>> PlanChoice.of("epochs", 12, ASKED).reason
    Message(code='plan.asked', values={})
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: Any
    why: dict[str, Any]
    _why = field_validator("why")(of_a_message)

    @classmethod
    def of(cls, name: str, value: Any, why: Message) -> Self:
        return cls(name=name, value=value, why=why.as_json())

    @property
    def reason(self) -> Message:
        return Message.of(self.why)


class Fingerprint(BaseModel):
    """What the plan goes by: images a part and a class, the ratio of the largest class to the smallest, the longer side in
    pixels (median), the share in colour, and the bits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: dict[str, int]
    classes: dict[str, int]
    imbalance: float
    side: int
    colour: float
    bits: int | None


@dataclass(frozen=True)
class Plan:
    """Every setting of training and comparison; `why` has the reason of each.

    `patch` is the side of the patches that the network looks at in images of `size`, `patches` how many of an image an epoch shows;
    None where it looks at whole images; the comparison looks at patches of `compare_size` in images of `compare_side`. `beside` names
    weights whose frozen trunk, at `beside_size`, has a head of its own that the network is averaged with; `input_size` is then the
    side of the images that both are given.
    """

    pretrained: str | None
    finetune: str
    network: str
    size: int
    channels: int
    epochs: int
    members: int
    batch: int
    learning_rate: float
    keep: str
    patience: int
    tta: str
    folds: int
    compare_networks: tuple[str, ...]
    compare_size: int
    compare_epochs: int
    compare_cases: int
    search: str
    why: Mapping[str, Message]
    patch: int | None = None
    patches: int = 1
    beside: str | None = None
    beside_size: int | None = None
    input_size: int | None = None
    compare_side: int | None = None

    @property
    def given(self) -> int:
        """The side of the images that the finished network is given."""
        return self.input_size or self.size

    @property
    def looked(self) -> int:
        """The side of what the network looks at."""
        return self.patch or self.size

    @property
    def compared(self) -> int:
        """The side of the images of the comparison."""
        return self.compare_side or (self.size if self.patch else self.compare_size)

    @property
    def frozen(self) -> bool:
        """Whether the trunk stays as its weights are, so that its features can be kept."""
        return self.finetune.strip().startswith("frozen")

    @property
    def choices(self) -> tuple[PlanChoice, ...]:
        """Every setting with its value and reason."""
        return tuple(PlanChoice.of(name, getattr(self, name), why) for name, why in self.why.items())


class Planned(Record):
    """A plan with the fingerprint of the data that it was made for, and the contrasts that are compared.

    `starts` are what training could have begun from (weights, the way of fine-tuning, the side in pixels), each with what came of
    it; `weights` those that it may take, their `content` by name, None where a former version wrote the plan; both empty where
    nothing was judged. `expected` tells how precise the figures of the test part can be, None where it says nothing of them.
    """

    file: ClassVar[str] = "plan.json"

    version: int = 3
    fingerprint: Fingerprint
    contrasts: tuple[str, ...]
    starts: tuple[PlanChoice, ...] = ()
    weights: dict[str, str] | None = None
    choices: tuple[PlanChoice, ...] = Field(min_length=1)
    expected: dict[str, Any] | None = None

    @field_validator("expected")
    @classmethod
    def _tells(cls, plain: Any) -> Any:
        return None if plain is None else of_a_message(plain)

    def value(self, name: str) -> Any:
        """What was decided of a setting; None where the plan says nothing of it."""
        return next((choice.value for choice in self.choices if choice.name == name), None)

    @property
    def precision(self) -> Message | None:
        return None if self.expected is None else Message.of(self.expected)

    @property
    def told(self) -> tuple[PlanChoice, ...]:
        """All choices, and after that of the weights what there was to start from."""
        after = 1 + next((i for i, choice in enumerate(self.choices) if choice.name == "pretrained"), -1)
        return (*self.choices[:after], *self.starts, *self.choices[after:])

    @property
    def plan(self) -> Plan:
        """The plan as it was made; DataError where a setting is missing."""
        values = {choice.name: choice.value for choice in self.choices}
        if isinstance(values.get("compare_networks"), list):
            values["compare_networks"] = tuple(values["compare_networks"])
        known = [field.name for field in fields(Plan) if field.name in values]
        if lacking := [f.name for f in fields(Plan) if f.default is MISSING and f.name not in ("why", *known)]:
            raise DataError(
                f"{self.file}: the choice {lacking[0]} is missing; the file was changed or damaged: make it again."
            )
        return Plan(
            **{name: values[name] for name in known}, why={choice.name: choice.reason for choice in self.choices}
        )
