"""Label tables: their columns, their paths, and how they find images."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evenray.core.errors import DataError
from evenray.data.scan import scan
from evenray.data.scan.listing import listing
from evenray.data.tables.label_columns import option

from ..conftest import Make, read_labels, told


def shown(data: Any, *columns: str) -> list[tuple[Any, ...]]:
    return list(data.cases.select(columns).iter_rows())


class TestColumns:
    @pytest.mark.parametrize(
        ("header", "found"),
        [
            ("path,label,patient,site,split", ["label", "part", "path", "patient", "site"]),
            (" File , Diagnosis ,Hospital", ["label", "path", "site"]),
            ("path,label,Hospital,Split", ["label", "part", "path", "site"]),
            ("SOPInstanceUID,class", ["label", "sop_instance_uid"]),
            ("StudyInstanceUID,PatientID,target", ["label", "patient", "study_instance_uid"]),
        ],
    )
    def test_usual_names_are_known(self, text: Make, header: str, found: list[str]) -> None:
        path = text("t.csv", f"{header}\n{','.join(['train'] * len(header.split(',')))}\n")
        assert sorted(read_labels(path).table.columns) == found

    @pytest.mark.parametrize(
        ("name", "content"),
        [("t.csv", "path,label\n007,1\n"), ("t.tsv", "path\tlabel\n007\t1\n"), ("t.csv", "path;label\n007;1\n"),
         ("t.csv", "\ufeffpath,label\n007,1\n"), ("t.csv", '"path","label"\n" 007 ","1"\n')],
    )  # fmt: skip
    def test_any_separator_and_values_as_text(self, text: Make, name: str, content: str) -> None:
        assert read_labels(text(name, content)).table.to_dicts() == [{"path": "007", "label": "1"}]

    def test_columns_that_divide_the_rows_alike_are_one_reading(self, text: Make) -> None:
        found = read_labels(text("t.csv", "y,path,Label\n0,a,well\n1,b,sick\n1,c,sick\n"), "a.png", "b.png", "c.png")
        assert found.table["label"].to_list() == ["well", "sick", "sick"]
        assert found.understood.unused == ("y",)

    def test_two_readings_are_refused_with_the_options_that_choose(self, text: Make) -> None:
        with pytest.raises(DataError, match="say --column label=Diagnosis or --column label=Label"):
            read_labels(text("t.csv", "Diagnosis,path,Label\nx,a,0\nx,b,1\ny,c,1\n"), "a.png", "b.png", "c.png")

    def test_numbers_of_parquet_become_text(self, tmp_path: Path) -> None:
        pl.DataFrame({"image": ["a"], "y": [1]}).write_parquet(tmp_path / "t.parquet")
        assert read_labels(tmp_path / "t.parquet").table.to_dicts() == [{"path": "a", "label": "1"}]

    @pytest.mark.parametrize(
        ("content", "said"),
        [("path,patient\na,b\n", "has no column of labels that can be told"),
         ("Export of 2024-01-01;;\nscan;who;answer\na;b;c\n", "Its first line names 'Export of 2024-01-01'; no title"),
         ("path,label\n", "has a line of column names and no row"),
         ("label,age\n1,2\n", "has no column that finds the images: none holds names or paths"),
         ("", "cannot be read"),
         ("path,label,split\na,x,train\nb,y,external\n", "to the part 'external'; known are: train")],
    )  # fmt: skip
    def test_what_is_missing_is_named(self, text: Make, content: str, said: str) -> None:
        with pytest.raises(DataError, match=said):
            read_labels(text("t.csv", content))

    def test_no_table(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"There is no label table '.*t\.csv'"):
            read_labels(tmp_path / "t.csv")

    def test_numbers_of_folds_are_no_parts(self, text: Make) -> None:
        table = read_labels(text("t.csv", "path,label,subset\na,x,1\nb,y,2\n"))
        assert "part" not in table.table.columns


TABLE = """path,label,patient,site,split
images/a.png,sick,p1,north,train
images\\b.png,well,p2,south,TEST
./images/c.png,well,p2,,val
images/d.png,sick,,south,
"""
ROWS = [("images/a.png", "sick", "north", "train"), ("images/b.png", "well", "south", "test"),
        ("images/c.png", "well", None, "validation"), ("images/d.png", "sick", "south", None)]  # fmt: skip


class TestPaths:
    @pytest.fixture
    def images(self, png: Make) -> None:
        for seed, name in enumerate("abcd"):
            png(f"images/{name}.png", seed)

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    @pytest.mark.usefixtures("images")
    def test_a_table_beside_images(self, tmp_path: Path, text: Make, kind: str) -> None:
        path = text("labels.csv", TABLE)
        if kind == "parquet":
            pl.read_csv(path).write_parquet(tmp_path / "labels.parquet")
            path.unlink()
            path = tmp_path / "labels.parquet"
        for data in (scan(path), scan(tmp_path), scan(tmp_path, labels=path)):
            assert sorted(shown(data, "file", "label", "site", "part")) == ROWS
            patients = data.cases.sort("file")["patient"].to_list()
            assert patients[1] == patients[2] != patients[0]
            assert patients[3] is None
            assert data.cases.sort("file")["given_part"].to_list() == [True, True, True, False]

    @pytest.mark.usefixtures("images")
    def test_paths_as_seen_from_the_table(self, tmp_path: Path, text: Make) -> None:
        path = text("labels.csv", TABLE)
        data = scan(tmp_path / "images", labels=path)
        assert shown(data, "file", "label") == [
            ("a.png", "sick"),
            ("b.png", "well"),
            ("c.png", "well"),
            ("d.png", "sick"),
        ]

    @pytest.mark.usefixtures("images")
    def test_absolute_paths(self, tmp_path: Path, text: Make) -> None:
        names = [tmp_path / "images" / f"{name}.png" for name in "abcd"]
        path = text("labels.csv", "path,label\n" + "".join(f"{name},{i % 2}\n" for i, name in enumerate(names)))
        for data in (scan(path), scan(tmp_path / "images", labels=path)):
            assert [os.path.basename(file) for file in data.cases["file"]] == ["a.png", "b.png", "c.png", "d.png"]  # noqa: PTH119
            assert str(tmp_path) not in "".join(data.cases["file"])

    @pytest.mark.parametrize("names", [("a.png", "c.png"), ("a", "c"), ("scans/a.dcm", "scans/c.dcm")])
    @pytest.mark.usefixtures("images")
    def test_names_with_and_without_ending(self, tmp_path: Path, text: Make, names: tuple[str, str]) -> None:
        path = text("labels.csv", f"path,label\n{names[0]},sick\n{names[1]},well\n")
        data = scan(tmp_path, labels=path)
        assert shown(data, "file", "label") == [("images/a.png", "sick"), ("images/c.png", "well")]
        assert data.facts.unlabelled == 2

    def test_equal_names_in_two_folders_are_not_told_by_name(self, tmp_path: Path, png: Make, text: Make) -> None:
        png("p1/a.png", 1)
        png("p2/a.png", 2)
        path = text("labels.csv", "path,label\na.png,sick\nb.png,well\n")
        with pytest.raises(DataError, match="matches none of the 2 images: its column path has 2 values"):
            scan(tmp_path, labels=path)

    @pytest.mark.parametrize("names", [("a.png", "c.png"), ("a", "c")])
    @pytest.mark.usefixtures("images")
    def test_a_table_above_the_folder_of_its_images(
        self, tmp_path: Path, text: Make, png: Make, names: tuple[str, str]
    ) -> None:
        png("e.png", 9)
        path = text("train.csv", f"filename,label\n{names[0]},sick\n{names[1]},well\ne.png,well\nz.png,sick\n")
        data = scan(path)
        assert shown(data, "file", "label") == [("images/a.png", "sick"), ("images/c.png", "well"), ("e.png", "well")]
        assert data.rejected.rows() == [("z.png", "does not exist")]
        assert told(data.facts.notes) == [
            "2 paths of train.csv do not exist as written; the files below its folder that match them are taken",
            "1 path of train.csv matches no file",
        ]

    def test_names_of_two_files_above_them_are_set_aside(self, tmp_path: Path, png: Make, text: Make) -> None:
        for seed, name in enumerate(["p1/a.png", "p2/a.png", "p1/b.png", "p2/c.png"]):
            png(name, seed)
        data = scan(text("train.csv", "path,label\na.png,sick\nb.png,well\nc.png,sick\n"))
        assert shown(data, "file", "label") == [("p1/b.png", "well"), ("p2/c.png", "sick")]
        assert data.rejected.rows() == [("a.png", "is the name of 2 files; the table must say its folder")]
        with pytest.raises(DataError, match=r"2 files are called 'a\.png': put their folders before the names"):
            scan(text("train.csv", "path,label\na.png,sick\n"))

    @pytest.mark.usefixtures("images")
    def test_paths_as_written_are_never_taken_for_other_files(self, tmp_path: Path, png: Make, text: Make) -> None:
        png("a.png", 9)
        data = scan(text("labels.csv", "path,label\na.png,sick\nimages/b.png,well\n"))
        assert shown(data, "file", "label") == [("a.png", "sick"), ("images/b.png", "well")]
        assert told(data.facts.notes) == []

    @pytest.mark.usefixtures("images")
    def test_an_absolute_path_is_exact(self, tmp_path: Path, png: Make, text: Make) -> None:
        png("t/c.png", 9)
        png("t/gone/c.png", 8)
        rows = [f"{tmp_path}/images/a.png,x", f"{tmp_path}/images/gone/c.png,y", f"{tmp_path}/t/c/c.png,y", "b.png,y"]
        png("t/below/b.png", 7)
        found = listing(text("t/labels.csv", "\n".join(["path,label", *rows])))
        assert [entry.file for entry in found.entries] == [
            f"{tmp_path}/images/a.png",
            f"{tmp_path}/images/gone/c.png",
            "c/c.png",
            "below/b.png",
        ]
        assert told(found.notes)[0].startswith("1 path of labels.csv does not exist as written")

    @pytest.mark.parametrize("gone", ["images/gone.png", "t/gone.png"])
    @pytest.mark.usefixtures("images")
    def test_nothing_is_searched_for_an_absolute_path(
        self, tmp_path: Path, text: Make, gone: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("evenray.data.scan.table_listing.list_files", lambda root: pytest.fail(f"walked {root}"))
        rows = f"path,label\n{tmp_path}/images/a.png,x\n{tmp_path}/{gone},y\nC:\\scans\\a.png,y\n"
        assert len(listing(text("t/labels.csv", rows)).entries) == 3

    @pytest.mark.parametrize("other", ["gone/e.png", "gone/e", "s/a.dcm", "../a.png"])
    @pytest.mark.usefixtures("images")
    def test_a_path_below_must_end_in_all_that_the_row_says(
        self, tmp_path: Path, png: Make, text: Make, other: str
    ) -> None:
        png("e.png", 9)
        found = listing(text("labels.csv", f"path,label\n{other},x\nb.png,y\nc,x\n"))
        assert found.table is not None
        assert found.table.table.rows() == [("images/b.png", "y"), ("images/c.png", "x")]
        assert [entry.file for entry in found.entries] == ["images/b.png", "images/c.png"]
        assert found.rejected == ((other, "does not exist"),)

    @pytest.mark.parametrize(
        "other", ["images/../images/a.png", "images//a.png", "././images/a.png", ".//images/a.png", "a.png", "a"]
    )
    @pytest.mark.usefixtures("images")
    def test_a_file_of_two_spellings_has_one_label(self, text: Make, other: str) -> None:
        path = text("labels.csv", f"path,label\nimages/a.png,x\n{other},y\n")
        with pytest.raises(DataError, match=r"gives images/a\.png two different labels; keep one row for each"):
            scan(path)
        data = scan(text("labels.csv", f"path,label\nimages/a.png,x\n{other},x\nimages/b.png,y\n"))
        assert shown(data, "file", "label") == [("images/a.png", "x"), ("images/b.png", "y")]

    def test_a_detour_through_a_link_is_another_file(self, tmp_path: Path, png: Make, text: Make) -> None:
        png("deep/a.png", 1)
        (tmp_path / "deep/in").mkdir()
        png("a.png", 2)
        (tmp_path / "in").symlink_to(tmp_path / "deep/in")
        data = scan(text("labels.csv", "path,label\nin/../a.png,x\na.png,y\n"))
        assert shown(data, "file", "label") == [("in/../a.png", "x"), ("a.png", "y")]

    @pytest.mark.usefixtures("images")
    def test_rows_said_twice_are_one_case(self, tmp_path: Path, text: Make) -> None:
        path = text("labels.csv", "path,label\nimages/a.png,x\nimages/a.png,x\nimages/b.png,y\n")
        for data in (scan(path), scan(tmp_path, labels=path)):
            assert shown(data, "file") == [("images/a.png",), ("images/b.png",)]

    @pytest.mark.usefixtures("images")
    def test_one_image_of_two_labels_is_refused(self, tmp_path: Path, text: Make) -> None:
        path = text("labels.csv", "path,label\nimages/a.png,x\nimages/a.png,y\n")
        with pytest.raises(DataError, match=r"gives images/a\.png two different labels; keep one row for each"):
            scan(path)
        with pytest.raises(DataError, match=r"gives images/a\.png two different labels; keep one row for each"):
            scan(tmp_path, labels=path)

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            ("images/a.png,x,p1,train\nimages/a.png,x,p2,train", "two different patients"),
            ("images/a.png,x,p1,train\na.png,x,p1,test", "two different parts"),
        ],
    )
    @pytest.mark.usefixtures("images")
    def test_one_image_of_two_patients_or_parts_is_refused(
        self, tmp_path: Path, text: Make, rows: str, said: str
    ) -> None:
        path = text("labels.csv", f"path,label,patient,split\n{rows}\nimages/b.png,y,p3,train\n")
        with pytest.raises(DataError, match=rf"gives images/a\.png {said}; keep one row for each"):
            scan(tmp_path, labels=path)
        if "\na.png" not in rows:
            with pytest.raises(DataError, match=rf"gives images/a\.png {said}; keep one row for each"):
                scan(path)

    @pytest.mark.usefixtures("images")
    def test_a_row_that_lacks_the_patient_takes_that_of_the_other(self, tmp_path: Path, text: Make) -> None:
        path = text("labels.csv", "path,label,patient\nimages/a.png,x,\nimages/a.png,x,p1\nimages/b.png,y,p1\n")
        for data in (scan(path), scan(tmp_path, labels=path)):
            assert data.cases["patient"].n_unique() == 1
            assert data.cases["patient"].null_count() == 0

    @pytest.mark.usefixtures("images")
    def test_paths_with_and_without_folders_in_one_table(self, tmp_path: Path, text: Make) -> None:
        path = text("t/labels.csv", "path,label\nimages/a.png,x\nb.png,y\nc,x\nz.png,y\n")
        data = scan(tmp_path, labels=path)
        assert shown(data, "file", "label") == [("images/a.png", "x"), ("images/b.png", "y"), ("images/c.png", "x")]
        assert data.rejected.rows() == [("z.png", "does not exist")]
        assert told(data.facts.notes) == ["1 path of labels.csv matches no file"]
        assert data.facts.unlabelled == 1

    def test_names_of_two_files_are_told_and_the_others_match(self, tmp_path: Path, png: Make, text: Make) -> None:
        for seed, name in enumerate(["p1/a.png", "p2/a.png", "p1/b.png", "p2/c.png"]):
            png(name, seed)
        data = scan(tmp_path, labels=text("t/labels.csv", "path,label\na.png,sick\nb.png,well\nc.png,sick\n"))
        assert shown(data, "file", "label") == [("p1/b.png", "well"), ("p2/c.png", "sick")]
        assert data.rejected.rows() == [("a.png", "is the name of 2 files; the table must say its folder")]
        assert "1 path of labels.csv matches several files" in told(data.facts.notes)[0]

    @pytest.mark.usefixtures("images")
    def test_rows_without_a_label_are_counted(self, text: Make) -> None:
        data = scan(text("labels.csv", "path,label\nimages/a.png,x\nimages/b.png,y\nimages/c.png,\n"))
        assert (len(data), data.facts.unlabelled) == (2, 1)

    @pytest.mark.usefixtures("images")
    def test_a_missing_file_is_set_aside(self, text: Make) -> None:
        data = scan(text("labels.csv", "path,label\nimages/z.png,x\nimages/a.png,x\nimages/b.png,y\n"))
        assert data.rejected.rows() == [("images/z.png", "does not exist")]
        assert len(data) == 2

    @pytest.mark.parametrize(
        ("content", "said"),
        [("path,label\n", "has a line of column names and no row"),
         ("path,label\na.png,\n", "None of the 1 rows of the label table .* has a label; fill in"),
         ("path,label\na.png,\n,x\n", "no row with both a path and a label"),
         ("patient,label\np,x\n", "has no column of paths"),
         ("path,label\nq.png,x\nr.png,y\n", "None of the 2 files .* could be read; the first: q.png: does not exist. Give the")],
    )  # fmt: skip
    def test_a_table_that_names_nothing(self, text: Make, content: str, said: str) -> None:
        with pytest.raises(DataError, match=said):
            scan(text("labels.csv", content))

    @pytest.mark.parametrize("last", ["Mass|Eff", "Eff", "Edema; Ma", "Mas"])
    def test_the_last_of_several_findings_that_is_cut_short_is_refused(self, text: Make, last: str) -> None:
        sign = "; " if ";" in last else "|"
        rows = ["Mass", "Effusion", f"Edema{sign}Mass", f"Mass{sign}Effusion", "Edema", last]
        table = "\n".join(["path,label", *(f"{i}.png,{row}" for i, row in enumerate(rows))])
        with pytest.raises(DataError, match="seems to be cut short"):
            read_labels(text("labels.csv", table))

    @pytest.mark.parametrize(
        ("last", "end", "cut"), [("p1", "", True), ("", "", True), ("p1", "\n", False), ("p19", "", False)]
    )
    def test_a_last_patient_that_is_cut_short_is_refused(self, text: Make, last: str, end: str, cut: bool) -> None:
        rows = "\n".join(f"{i}.png,{'xy'[i % 2]},p1{i // 2}" for i in range(12))
        table = text("labels.csv", f"path,label,patient\n{rows}\n12.png,x,{last}{end}")
        if not cut:
            assert read_labels(table).table.height == 13
            return
        with pytest.raises(DataError, match=r"ends within a line, .* seems to be cut short"):
            read_labels(table)

    def test_two_columns_of_labels_that_contradict_each_other_are_refused(self, text: Make) -> None:
        rows = "\n".join(f"{i}.png,{i % 2},{1 - i % 2}" for i in range(12))
        for header, ways in (("path,label,label", ("label", "label (2)")), ("path,diagnosis,dx", ("diagnosis", "dx"))):
            with pytest.raises(DataError, match=re.escape(" or ".join(option("label", way) for way in ways))):
                read_labels(text("labels.csv", f"{header}\n{rows}\n"))

    @pytest.mark.parametrize(
        ("header", "sexes"),
        [("Dateiname;Befund;Patienten-ID;Geschlecht;Alter", "mw"), ("Nom du fichier;Diagnostic;N° patient;Sexe;Âge", "HF"),
         ("archivo;diagnóstico;paciente;sexo;edad", "MF"), ("ファイル名;診断名;患者番号;性別;年齢", "男女")],
    )  # fmt: skip
    def test_columns_of_other_languages(self, text: Make, header: str, sexes: str) -> None:
        rows = "\n".join(f"{i}.png;{'xy'[i % 2]};{i // 2};{sexes[i % 2]};{40 + i},5" for i in range(12))
        found = read_labels(text("labels.csv", f"\ufeff{header}\n{rows}\n"))
        assert set(found.table.columns) == {"path", "label", "patient", "sex", "age"}

    def test_a_table_that_can_be_read_in_two_ways_is_not_passed_over_for_one_folder(
        self, tmp_path: Path, png: Make, text: Make
    ) -> None:
        for i in range(6):
            png(f"Bilder/{i}.png", i)
        text("t.csv", "path,diagnosis,dx\n" + "".join(f"{i}.png,{'xy'[i % 2]},{'pq'[i // 3]}\n" for i in range(6)))
        with pytest.raises(DataError, match="may each be the labels"):
            listing(tmp_path)

    def test_patients_of_the_table_are_struck_from_the_names(self, tmp_path: Path, png: Make, text: Make) -> None:
        for seed, patient in enumerate(["ANNA", "BERT"]):
            png(f"{patient}/{seed}.png", seed)
        text("labels.csv", "file,label,patient\n0.png,x,ANNA\n1.png,y,BERT\n")
        data = scan(tmp_path)
        assert data.cases["patient"].n_unique() == 2
        assert not data.cases["case"].str.contains("ANNA|BERT").any()
        assert data.cases["file"].to_list() == ["ANNA/0.png", "BERT/1.png"]

    def test_a_table_of_something_else_gives_way_to_folders(self, tmp_path: Path, png: Make, text: Make) -> None:
        png("sick/a.png", 1)
        png("well/b.png", 2)
        text("other.csv", "file,class\nz.png,cat\n")
        assert listing(tmp_path).layout == "class/file"

    def test_folders_of_parts_hold_for_files_that_a_table_labels(self, tmp_path: Path, png: Make, text: Make) -> None:
        png("train/a.png", 1)
        png("test/b.png", 2)
        text("labels.csv", "image,label\na.png,x\nb.png,y\n")
        assert shown(scan(tmp_path), "file", "label", "part") == [
            ("test/b.png", "y", "test"),
            ("train/a.png", "x", "train"),
        ]


class TestDicomTrees:
    """Images found by what their headers say, compared as hashes."""

    @pytest.fixture
    def tree(self, tmp_path: Path, dicom: Make) -> Path:
        for number, patient in enumerate(["ANNA", "ANNA", "BERT", "CARL"]):
            dicom(f"tree/{number // 2}/{number}.dcm", number, PatientID=patient, SOPInstanceUID=f"1.9.{number}",
                  StudyInstanceUID=f"1.8.{min(number, 2)}", InstitutionName="South")  # fmt: skip
        return tmp_path / "tree"

    @pytest.mark.parametrize(
        ("table", "labels"),
        [
            ("SOPInstanceUID,label\n1.9.0,x\n1.9.1,y\n1.9.3,y\n", ["x", "y", "y"]),
            ("StudyInstanceUID,label\n1.8.0,x\n1.8.1,y\n1.8.2,y\n", ["x", "y", "y", "y"]),
            ("PatientID,label\nANNA,x\n BERT ,y\nZOE,x\n", ["x", "x", "y"]),
            ("path,label\n0/0.dcm,x\n1/3.dcm,y\n", ["x", "y"]),
            ("file,label\n0,x\n3.dcm,y\n", ["x", "y"]),
        ],
    )
    def test_each_key(self, tree: Path, text: Make, table: str, labels: list[str]) -> None:
        path = text("labels.csv", table)
        data = scan(tree, labels=path)
        assert data.cases["label"].to_list() == labels
        assert data.facts.unlabelled == 4 - len(labels)
        assert data.cases["patient"].n_unique() == len({"ANNA", "BERT", "CARL"}) - (
            len(labels) < 4 and "CARL" not in table
        )

    def test_patient_and_site_of_the_table_win(self, tree: Path, text: Make) -> None:
        path = text("labels.csv", "SOPInstanceUID,label,patient,site\n1.9.0,x,CARL,North\n1.9.1,y,,\n1.9.3,y,,\n")
        data = scan(tree, labels=path)
        patients = data.cases["patient"].to_list()
        assert patients[0] == patients[2] != patients[1]
        table, *headers = data.cases["site"].to_list()
        assert table == "North"
        assert headers[0] == headers[1] not in (None, "South")

    def test_one_patient_of_two_labels_is_refused(self, tree: Path, text: Make) -> None:
        path = text("labels.csv", "PatientID,label\nANNA,x\nANNA,y\n")
        with pytest.raises(DataError, match=r"by the patient alone .'PatientID'., and it has several rows a patient"):
            scan(tree, labels=path)

    def test_patients_of_whom_there_is_no_image_are_counted_and_not_named(self, tree: Path, text: Make) -> None:
        data = scan(tree, labels=text("labels.csv", "PatientID,label\nANNA,x\nBERT,y\nZOE,x\n"))
        assert told(data.facts.notes) == [
            "a row's label goes to all images of its patient (column 'PatientID')",
            "1 PatientID value of labels.csv belongs to no image",
        ]
        assert data.facts.unlabelled == 1
        assert not data.rejected.height

    def test_the_label_of_a_file_that_is_cut_short_is_not_lost(self, tree: Path, text: Make) -> None:
        cut = tree / "1/3.dcm"
        cut.write_bytes(cut.read_bytes()[:-100])
        data = scan(tree, labels=text("labels.csv", "SOPInstanceUID,label\n1.9.0,x\n1.9.1,y\n1.9.3,y\n"))
        assert data.rejected["file"].to_list() == ["1/3.dcm"]
        assert data.facts.notes == ()

    def test_one_study_of_two_patients_is_refused(self, tree: Path, text: Make) -> None:
        path = text("labels.csv", "StudyInstanceUID,PatientID,label\n1.8.0,ANNA,x\n1.8.0,BERT,x\n1.8.2,CARL,y\n")
        with pytest.raises(DataError, match="gives 1 study_instance_uid values two different patients"):
            scan(tree, labels=path)

    def test_a_table_that_matches_nothing(self, tree: Path, text: Make) -> None:
        path = text("labels.csv", "SOPInstanceUID,label\n7.7.1,x\n7.7.2,y\n")
        said = "matches none of the 4 images: its column sop_instance_uid has 2 values"
        with pytest.raises(DataError, match=re.escape(said)):
            scan(tree, labels=path)

    def test_an_empty_tree(self, tmp_path: Path, text: Make) -> None:
        (tmp_path / "tree").mkdir()
        with pytest.raises(DataError, match="holds no image to label with the table"):
            scan(tmp_path / "tree", labels=text("labels.csv", "PatientID,label\na,x\n"))
