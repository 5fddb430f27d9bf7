"""What the report tells of who drew masks and boxes, and of how they were read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pytest

from evenray.core.messages import Message
from evenray.reporting.answers.data import readers
from evenray.reporting.language import Language
from evenray.reporting.sections import data, methods
from evenray.reporting.view import RunView

READ = [
    Message("annotations.field_folders", {"count": 20, "folders": ["mask"]}),
    Message("annotations.readers", {"count": 2, "name": "Dr Smith"}),
    Message("annotations.sides", {"ways": ["left", "right"]}),
    Message("annotations.by_row"),
    Message("annotations.values_binary", {"count": 1, "values": ["255"], "variant": "inverted"}),
]


def run_with(
    folder: Path, notes: Sequence[Message], monkeypatch: pytest.MonkeyPatch, *, names: bool = False
) -> RunView:
    run = RunView(folder)
    facts = run.facts.model_copy(update={"notes": tuple(notes), "names_files": names})
    monkeypatch.setattr(RunView, "facts", facts)
    return run


@pytest.mark.parametrize("language", ["en", "ko"])
def test_how_annotations_were_read_stands_with_the_data(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    say = Language(language)
    run = run_with(finished_run, [*READ, Message("scan.table_taken", {"file": "x.csv"})], monkeypatch)
    shown = data.context(run, say)
    assert shown is not None
    assert len(shown.notes) == len(READ)
    others = [say.message(note) for note in READ if not {"name", "folders"} & set(note.values)]
    assert set(others) <= set(shown.notes)
    assert not any("Smith" in note for note in shown.notes)


def test_a_report_with_names_names_the_reader(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = data.context(run_with(finished_run, READ, monkeypatch, names=True), Language("en"))
    assert shown is not None
    assert any("Dr Smith" in note for note in shown.notes)


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (READ[1], "drawn by 2 observers; those of the first were used"),
        (Message("annotations.readers_of_boxes", {"count": 3}), "Boxes were drawn by 3 observers"),
        (Message("annotations.first_readers", {"count": 1}), "Of 1 image several observers"),
        (Message("scan.readers", {"readers": 4, "images": 9}), "4 readers labelled them"),
    ],
)
def test_methods_tell_the_observers(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch, note: Message, told: str
) -> None:
    shown = methods.context(run_with(finished_run, [note], monkeypatch), Language("en"))
    assert shown is not None
    assert told in dict(shown.paragraphs)["en"]
    assert "판독자" in dict(shown.paragraphs)["ko"]
    assert "Dr Smith" not in str(shown)


def test_checklists_tell_who_drew(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say = Language("en")
    assert readers(run_with(finished_run, [], monkeypatch), say) is None
    assert readers(run_with(finished_run, READ, monkeypatch), say) == ("readers_masks", {"n": 2})


def test_notes_of_what_may_be_named_have_no_name_where_names_are_hidden(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = json.loads((resources.files("evenray.locales") / "en" / "annotations.json").read_text("utf-8"))
    notes = []
    for key, text in texts.items():
        values = set(re.findall(r"\{(\w+)", text))
        if key.startswith("annotations.") and values & data.NAMES and key.count(".") == 1:
            notes.append(Message(key, {name: "SECRET" if name in data.NAMES else 2 for name in values}))
    assert len(notes) > 5
    shown = data.context(run_with(finished_run, notes, monkeypatch), Language("en"))
    assert shown is not None
    assert len(shown.notes) > 5
    assert "SECRET" not in str(shown.notes)
    assert not any(note.startswith("annotations.") for note in shown.notes)
