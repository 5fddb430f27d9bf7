"""The routes of a service beside a PACS: what became of its studies, and the webhook that tells of new ones."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from ..application import IN_ENGLISH
from .loop import Pacs

__all__ = ["router"]

LISTED = 1000  # failures in an answer; the file has all
router = APIRouter(prefix="/v1/pacs")


class Told(BaseModel):
    """A study that the PACS has."""

    study: str = Field(description="Its StudyInstanceUID.", max_length=64, pattern=r"^[0-9]+(\.[0-9]+)*$")


class Noted(BaseModel):
    """What a study is called from now on, and its state: waiting, or answered where it was before."""

    study: int = Field(description="Its number in the log and in the list of failures.")
    state: str


class Failed(BaseModel):
    """A study that could not be answered and is not tried any more; failures.csv beside the service says which it is."""

    study: int
    attempts: int
    reason: str
    changed: str


class Standing(BaseModel):
    """How it stands with the studies of the PACS."""

    reachable: bool | None = Field(description="Whether the PACS could be asked the last time; null before the first.")
    waiting: int
    answered: int
    nothing: int = Field(description="Studies without an image for the model.")
    left: int = Field(description="Studies that were there before the first start.")
    failed: int
    failures: list[Failed] = Field(description="The latest failures first.")


def _named(name: str) -> dict[str, Any]:
    return {"operation_id": name, "description": IN_ENGLISH(f"serve.api.{name}")}


@router.get("", **_named("pacs"))
def pacs(request: Request) -> Standing:
    """The counts, and what has failed."""
    ledger = _pacs(request).ledger
    counts = ledger.counts()
    states = {state: counts.get(state, 0) for state in ("waiting", "answered", "nothing", "left", "failed")}
    failures = [
        Failed(study=one.number, attempts=one.attempts, reason=one.reason, changed=one.changed)
        for one in ledger.failures(LISTED)
    ]
    return Standing(reachable=_pacs(request).reachable, failures=failures, **states)


@router.post("/studies", status_code=202, **_named("pacs_study"))
def study(request: Request, told: Told) -> Noted:
    """A study that is to be answered, by Orthanc's webhook or by hand."""
    beside = _pacs(request)
    number, state = beside.ledger.ask(told.study)
    beside.woken.set()
    return Noted(study=number, state=state)


def _pacs(request: Request) -> Pacs:
    found = request.app.state.pacs
    assert isinstance(found, Pacs)
    return found
