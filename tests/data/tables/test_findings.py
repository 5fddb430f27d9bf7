"""Several findings an image: in one text, or a column a finding with yes, no, uncertain and blank."""

from __future__ import annotations

import polars as pl
import pytest

from evenray.core.errors import DataError, UsageError
from evenray.data.scan import scan
from evenray.data.tables.findings import findings_in_columns, findings_in_text, flag_columns

from ..conftest import Make, told

REPORT = pl.DataFrame(
    {"No Finding": ["1", None, None, None], "Edema": [None, "1", "-1", None], "Mass": [None, "0", "1", None]}
)


@pytest.mark.parametrize(
    ("uncertain", "third"), [("ignore", [None, True]), ("positive", [True, True]), ("negative", [False, True])]
)
def test_what_reports_leave_open(uncertain: str, third: list[bool | None]) -> None:
    found = findings_in_columns(REPORT, REPORT.columns, uncertain, several=False)  # type: ignore[arg-type]
    assert found.names == ("Edema", "Mass")
    assert found.values.to_list() == [[False, False], [True, False], third, None]
    assert any("No Finding" in sentence for sentence in told(found.notes))


def test_a_blank_beside_yes_and_no_is_unknown() -> None:
    table = pl.DataFrame({"a": ["1", "0", None, "1"], "b": ["1", "1", "0", "0"]})
    found = findings_in_columns(table, table.columns, "ignore", several=False)
    assert found.values.to_list() == [[True, True], [False, True], [None, False], [True, False]]


def test_one_yes_a_row_is_a_class() -> None:
    table = pl.DataFrame({"MEL": ["1.0", "0.0", "0.0"], "NV": ["0.0", "1.0", "0.0"], "BCC": ["0.0", "0.0", "1.0"]})
    assert findings_in_columns(table, table.columns, "ignore", several=False).values.to_list() == ["MEL", "NV", "BCC"]
    assert findings_in_columns(table, table.columns, "ignore", several=True).names == ("MEL", "NV", "BCC")


def test_a_value_that_is_no_answer_is_refused() -> None:
    table = pl.DataFrame({"a": ["1", "maybe"], "b": ["1", "0"]})
    with pytest.raises(UsageError, match="hold 'maybe', which is neither yes, no nor uncertain"):
        findings_in_columns(table, table.columns, "ignore", several=True)


@pytest.mark.parametrize(
    "texts",
    [["Mass|Edema", "Edema|Mass", "Mass", "No Finding"], ["Mass; Edema", "Edema;Mass", "Mass", "normal"],
     ["Mass, Edema", "Edema; Mass", "Mass", "정상"], ["['Mass', 'Edema']", "['Edema', 'Mass']", "['Mass']", "[]"]],
)  # fmt: skip
def test_the_order_and_the_sign_mean_nothing(texts: list[str]) -> None:
    found = findings_in_text(pl.Series(texts), several=False)
    assert found is not None
    assert found.names == ("Edema", "Mass")
    assert found.values.to_list() == [[True, True], [True, True], [False, True], [False, False]]


@pytest.mark.parametrize(
    "texts", [["normal, benign", "malignant"], ["Nodule/Mass", "none"], ["grade 1", "grade 2"], ["a+", "a-"]]
)
def test_single_classes_stay_classes(texts: list[str]) -> None:
    assert findings_in_text(pl.Series(texts), several=False) is None


def test_a_data_set_of_findings(png: Make, text: Make) -> None:
    for number in range(6):
        png(f"{number}.png", number)
    lines = ["image,label", "0,A|B", "1,B", "2,No Finding", "3,B|A", "4,C", "5,"]
    data = scan(text("t.csv", "\n".join(lines) + "\n").parent)
    assert (data.facts.task, data.classes) == ("tag", ("A", "B", "C"))
    found = dict(data.cases.select("file", "findings").iter_rows())
    assert found == {"0.png": [True, True, False], "1.png": [False, True, False], "2.png": [False, False, False],
                     "3.png": [True, True, False], "4.png": [False, False, True]}  # fmt: skip
    assert data.cases["label"].null_count() == 5
    assert data.facts.unlabelled == 1


def test_normal_of_one_thing_is_a_finding_and_abnormal_is_none_healthy() -> None:
    table = pl.DataFrame(
        {
            "ETT - Abnormal": ["1", "0", "0", "0"],
            "ETT - Normal": ["0", "1", "0", "0"],
            "CVC - Normal": ["1", "0", "0", "1"],
            "CVC - Borderline": ["0", "1", "0", "0"],
        }
    )
    assert findings_in_columns(table, table.columns, "ignore", several=False).names == tuple(table.columns)


@pytest.mark.parametrize(("yes", "no"), [("ja", "nein"), ("O", "X"), ("양성", "음성"), ("Present", "Absent")])
def test_yes_and_no_in_other_words(yes: str, no: str) -> None:
    table = pl.DataFrame({"a": [yes, no, no, yes], "b": [yes, yes, no, no]})
    assert flag_columns(table, table.columns) == ["a", "b"]
    found = findings_in_columns(table, table.columns, "ignore", several=False)
    assert found.values.to_list() == [[True, True], [False, True], [False, False], [True, False]]


def test_rows_that_say_nothing_in_columns_that_never_say_no_are_asked_about() -> None:
    table = pl.DataFrame({"fracture": ["1", None, None, None], "cast": ["1", "1", None, None]})
    with pytest.raises(DataError, match="'findings=fracture\\+cast:blank=0', where nobody looked"):
        findings_in_columns(table, table.columns, "ignore", several=False)
    assert findings_in_columns(table, table.columns, "ignore", several=True).values.null_count() == 2


def test_numbers_put_apart_by_spaces_are_findings_and_0_is_one_of_them() -> None:
    found = findings_in_text(pl.Series(["16 0", "0", "7", "25 7 0", None, "25"]), several=False)
    assert found is not None
    assert found.names == ("0", "7", "16", "25")
    assert found.values.to_list()[:2] == [[True, False, True, False], [True, False, False, False]]
    assert findings_in_text(pl.Series(["big one", "big", "one"]), several=False) is None


@pytest.mark.parametrize("way", ["[{}, {}, {}]", "[{} {} {}]", "({}.0, {}.0, {}.0)", "{}|{}|{}"])
def test_vectors_of_0_and_1_are_a_finding_a_place(way: str) -> None:
    one = findings_in_text(pl.Series([way.format(*row) for row in ((1, 0, 0), (0, 0, 1), (0, 1, 0))]), several=False)
    assert one is not None
    assert one.values.to_list() == ["class 0", "class 2", "class 1"]
    several = findings_in_text(pl.Series([way.format(*row) for row in ((1, 0, 1), (0, 0, 0))]), several=False)
    assert several is not None
    assert several.values.to_list() == [[True, False, True], [False, False, False]]


def test_arrays_as_numpy_prints_them_are_lists() -> None:
    found = findings_in_text(pl.Series(["['Eczema' 'Insect Bite']", "['Eczema']"]), several=False)
    assert found is not None
    assert found.names == ("Eczema", "Insect Bite")


def test_minus_one_means_no_where_nothing_else_can() -> None:
    table = pl.DataFrame({"polyp": ["1", "-1", "-1"], "ulcer": ["1", "1", "-1"]})
    found = findings_in_columns(table, table.columns, "ignore", several=False)
    assert found.values.to_list() == [[True, True], [False, True], [False, False]]
    beside = findings_in_columns(
        table.with_columns(mass=pl.Series(["0", "0", "1"])), ["polyp", "mass"], "ignore", several=False
    )
    assert beside.values.to_list()[1] == [None, False]


def test_words_behind_a_comma_that_only_qualify_are_no_findings() -> None:
    words = ["Melanoma, NOS", "Melanoma, in situ", "Carcinoma, in situ", "Carcinoma, NOS", "Nevus"]
    assert findings_in_text(pl.Series(words), several=False) is None
    found = findings_in_text(pl.Series(["Edema, Mass", "Mass, Nodule", "Nodule", "Edema"]), several=False)
    assert found is not None
    assert found.names == ("Edema", "Mass", "Nodule")


def test_a_mark_in_each_row_is_a_class() -> None:
    table = pl.DataFrame({"COVID": ["x", None, None], "Normal": [None, "x", None], "Opacity": [None, None, "x"]})
    found = findings_in_columns(table, table.columns, "ignore", several=False)
    assert found.values.to_list() == ["COVID", "Normal", "Opacity"]


def test_one_yes_in_every_whole_row_and_a_fifth_with_blanks_is_asked_about() -> None:
    rows = [("1", "0"), ("0", "1"), ("1", "0"), ("0", "1"), ("0", None)] * 4
    table = pl.DataFrame(rows, schema=["mass", "edema"], orient="row")
    with pytest.raises(DataError, match=r"say --column 'findings=mass.edema'"):
        findings_in_columns(table, table.columns, "ignore", several=False)
    assert findings_in_columns(table, table.columns, "ignore", several=True).names == ("mass", "edema")
