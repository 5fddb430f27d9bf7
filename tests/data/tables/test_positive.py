"""Which class is the positive one: words for healthy in many forms and languages, and where nobody can tell."""

from __future__ import annotations

import pytest

from evenray.core.errors import UsageError
from evenray.data.tables.positive import ask_for_positive, healthy, positive_class


@pytest.mark.parametrize(
    ("sick", "well"),
    [("COVID", "non-COVID"), ("tumor", "no_tumor"), ("tumor", "notumor"), ("Parasitized", "Uninfected"), ("glaucoma", "not_glaucoma"),
     ("pneumothorax", "no_pneumothorax"), ("with_mass", "without mass"), ("abnormal", "normal"), ("비정상", "정상"),
     ("결핵", "결핵아님"), ("폐렴", "이상없음"), ("disease", "disease_free"),
     ("AK", "healthy_control"), ("肺炎", "未见异常"), ("異常あり", "異常なし"),
     ("krank", "kein Befund"),
     ("Tumor", "ohne Tumor"), ("lésion", "sans lésion"), ("lesión", "sin hallazgos"), ("positive", "negative"), ("1", "0"),
     ("unhealthy", "healthy"), ("referable", "non-referable"), ("melanoma", "benign")],
)  # fmt: skip
@pytest.mark.parametrize("rarer", ["sick", "well"])
def test_the_healthy_class_is_known_however_rare(sick: str, well: str, rarer: str) -> None:
    counts = {sick: 9, well: 20} if rarer == "sick" else {sick: 20, well: 19}
    assert (healthy(sick), healthy(well)) == (False, True)
    assert positive_class(tuple(sorted(counts)), counts, None)[0] == sick
    ask_for_positive(tuple(sorted(counts)), counts, None)


@pytest.mark.parametrize(
    "classes", [("양성", "결절"), ("cat", "dog"), ("normal", "benign"), ("HGG", "LGG"), ("all", "hem")]
)
def test_two_classes_that_do_not_tell_are_asked_for_unless_one_is_rare(classes: tuple[str, str]) -> None:
    even, rare = dict.fromkeys(classes, 10), {classes[0]: 30, classes[1]: 10}
    with pytest.raises(UsageError, match=f"say --positive '{classes[0]}' or --positive '{classes[1]}'"):
        ask_for_positive(classes, even, None)
    ask_for_positive(classes, even, classes[0])
    ask_for_positive(classes, rare, None)
    assert positive_class(classes, rare, None)[0] == classes[1]
