"""What stands for a file in the names of results: its content, and what it is read as."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.artefacts.contents import contents_of_file
from evenray.core.artefacts.weight import Weight


def test_a_file_read_in_another_way_is_another_and_its_place_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    first, second = tmp_path / "a.pth", tmp_path / "sub" / "b.pth"
    first.write_bytes(b"same")
    second.write_bytes(b"same")
    assert contents_of_file(str(first)) == contents_of_file(str(second))
    assert contents_of_file(f"caffe:{first}") == contents_of_file(f"caffe:{second}")
    found = {contents_of_file(text) for text in (str(first), f"caffe:{first}", f"torchvision:{first}")}
    assert len(found) == 3
    second.write_bytes(b"other")
    assert contents_of_file(f"caffe:{first}") != contents_of_file(f"caffe:{second}")


def test_a_name_stands_for_the_file_and_for_how_images_are_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    about = Weight(
        name="mine", network="vgg16(head=average)", size=224, mean=(0.5,), std=(0.25,), channels="grey", licence="CC0-1.0",
        source="ours", weights_file="mine.pth", sha256="0" * 64,
    )  # fmt: skip

    def content(weight: Weight) -> str:
        (tmp_path / "weights" / "mine.json").write_text(weight.text())
        return contents_of_file("mine")

    same = content(about)
    assert content(about.model_copy(update={"licence": "MIT", "source": "theirs"})) == same
    changes = ({"mean": (0.4,)}, {"std": (0.3,)}, {"channels": "BGR"}, {"sha256": "1" * 64}, {"size": 112})
    assert len({same, *(content(about.model_copy(update=change)) for change in changes)}) == 6
