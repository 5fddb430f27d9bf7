"""Names of files on the pages of `enhance`."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.images import readers
from evenray.verbs._copies import shown


def test_a_name_is_struck_in_whatever_way_the_path_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        readers, "identity", lambda path: readers.Identity(patient_name="Kim^Minsu", patient_id="AB-77")
    )
    found = shown(tmp_path / "kim_MINSU" / "ab-77_chest.dcm", tmp_path)
    assert found == "***_***/***_chest.dcm"
