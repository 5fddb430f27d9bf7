"""The answers of the REST service, as OpenAPI has them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Answer", "Box", "Counts", "Measure", "ModelDetails", "Predicted", "Rejected", "RunSummary"]

Value = float | int | str | bool | list[str] | None


class Rejected(BaseModel):
    """A file that could not be read."""

    file: int = Field(description="Which of the files sent, from 1 on.")
    reason: str


class Box(BaseModel):
    """A box that was called, half-open, in pixels of the image."""

    name: str = Field(description="The class.")
    x0: float
    y0: float
    x1: float
    y1: float
    score: float = Field(description="The calibrated probability.")


class Answer(BaseModel):
    """What the model says of one image: the columns of `evenray predict` (docs/guides/deploying.md), such as p_CLASS,
    decision and threshold."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Value]

    file: int = Field(description="Which of the files sent, from 1 on: names of files may name people.")
    fragment: str = Field(description="Which image of the file; empty for the only one.")
    out_of_distribution: bool | None = Field(
        description="Whether the image is unlike the training images; null where the model cannot tell."
    )
    why: str | None = Field(description="In what it is unlike them.")
    boxes: list[Box] | None = Field(None, description="Of a model of boxes: those that were called.")
    mask_png: str | None = Field(
        None,
        description="Of a model of masks: a PNG in base64, 0 background and k the k-th class, in the image's pixels.",
    )


class Predicted(BaseModel):
    """The answers for the files of a request, in the order sent, with what `evenray predict --json` tells beside them."""

    model_config = ConfigDict(extra="allow")

    notice: str = Field(description="That this is not for clinical use.")
    model: str
    since: str = Field(description="When this model was loaded; another time is another model.")
    task: str
    classes: list[str]
    positive: str
    threshold: float | list[float | None] | None
    prevalence: list[float] = Field(description="The class shares that the probabilities are for.")
    engine: str
    precision: str
    images: int
    out_of_distribution: int = Field(description="How many images are unlike the training images.")
    false_flags: float | None = Field(
        description="The share of images like the training images that is flagged anyway."
    )
    answers: list[Answer]
    rejected: list[Rejected]


class Measure(BaseModel):
    """A figure with its 95 % interval and that of the majority-class baseline; null where one is not defined."""

    value: float | None
    low: float | None
    high: float | None
    baseline: float | None


class RunSummary(BaseModel):
    """A model that is served: how it did on its test part, with 95 % intervals and the majority-class baseline."""

    name: str
    task: str
    classes: list[str]
    contrast: str
    balance: str
    network: str
    test: dict[str, Measure] = Field(
        description="Figures of the test part; empty of an exported model, which has none."
    )


class ModelDetails(BaseModel):
    """A model as it is loaded now."""

    notice: str
    name: str
    since: str
    problem: str = Field(description="Why what lies on the disk now could not be loaded; empty where this is it.")
    task: str
    classes: list[str]
    positive: str
    threshold: float | list[float | None] | None
    rule: str | None = Field(description="By which rule the threshold was chosen.")
    prevalence: list[float]
    contrast: str
    balance: str
    network: str
    side: int = Field(description="The side of the square that images are fitted into, in pixels.")
    channels: int
    view: str = Field(description="How an image is looked at: its centre, or the mean of several views.")
    weights: str = Field(description="The digest of the weights.")
    engine: str
    precision: str
    device: str
    batch: int = Field(description="The most images that go through the network together.")
    training_images: dict[str, int] = Field(description="Training images of each class.")
    false_flags: float | None


class Counts(BaseModel):
    """The grey levels of the images together."""

    title: str
    images: int
    table: list[tuple[str, int]] = Field(description="Bin/Interval and Count/Frequency.")
    figures: dict[str, float | list[float] | dict[str, float] | None]
    advice: list[str] = Field(description="What to try; advice only.")
    rejected: list[Rejected]
