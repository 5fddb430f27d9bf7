"""The settings of Table 7, which is no stage of a run."""

from __future__ import annotations

from pydantic import model_validator

from .errors import UsageError
from .recipe import BudgetSettings, FlipSettings, RemedySettings, Specs
from .settings import setting

__all__ = ["Table7Settings"]


class Table7Settings(RemedySettings, BudgetSettings, FlipSettings):
    """How the systems of Table 7 are trained; one contrast and one remedy for all."""

    contrast: Specs = setting(
        "none", "The contrast for all nets, such as 'clahe(clip=2)'.", form="specs",
        expected="name one method, or none for no change", content="contrast", min_length=1,
    )  # fmt: skip
    balance: Specs = setting(
        "none", "The remedy for class imbalance for all nets, such as oversample.", form="specs",
        expected="name one method, or none for no change", min_length=1,
    )  # fmt: skip
    systems: str | None = setting(None, "Only these rows of the table, such as 'vgg, googlenet-1'.")

    @model_validator(mode="after")
    def _networks_alone_differ(self) -> Table7Settings:
        if len(self.contrasts) > 1 or len(self.balances) > 1:
            raise UsageError(
                "Table 7 compares networks: give one --contrast and one --balance, or leave them out for none."
            )
        return self
