"""Folders that are no classes, masks and copies that are no images: each kind on several drawn instances."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.data.annotations.finding import Wanted
from evenray.data.scan.entries import Listing
from evenray.data.scan.files import list_files
from evenray.data.scan.listing import listing
from evenray.data.scan.sorting import sorted_out
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices

from ..drawn_layouts import picture


def drawn(root: Path, *patterns: str) -> Path:
    """Empty files named by patterns: `{a,b}` stands for each of its words, in every combination."""
    for pattern in patterns:
        names = [""]
        for piece in pattern.replace("{", "\0{").replace("}", "}\0").split("\0"):
            words = piece[1:-1].split(",") if piece.startswith("{") else [piece]
            names = [name + word for name in names for word in words]
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
    return root


def labels(found: Listing) -> set[str | None]:
    return {entry.label for entry in found.entries}


@pytest.mark.parametrize(
    ("pattern", "classes", "parts", "patients"),
    [
        ("{normal,sick}/{train,test}/{1,2}.png", {"normal", "sick"}, 2, 0),
        ("{train,val,test}/{normal,sick}/{1,2}.png", {"normal", "sick"}, 3, 0),
        ("{fold_0,fold_1,fold_2}/{all,hem}/{1,2}.bmp", {"all", "hem"}, 0, 0),
        ("{images_001,images_002}/{normal,sick}/{1,2}.png", {"normal", "sick"}, 0, 0),
        ("{part_1,part_2}/{normal,sick}/{1,2}.png", {"normal", "sick"}, 0, 0),
        ("{normal,sick}/{patient01,patient02,patient03}/{1,2}.png", {"normal", "sick"}, 0, 3),
        ("{환자01,환자02,환자03}/{정상,폐렴}/{1,2}.png", {"정상", "폐렴"}, 0, 3),
        (
            "data/{train,valid}/{XR_A,XR_B}/{patient1,patient2}/{study1_negative,study2_positive}/i.png",
            {"negative", "positive"},
            2,
            2,
        ),
        ("{8863,9173,10253}/{0,1}/{a,b}.png", {"0", "1"}, 0, 3),
        ("wrap/deep/{benign,malignant}/{40X,100X}/{1,2}.png", {"benign", "malignant"}, 0, 0),
        ("{COVID,Normal}/images/{1,2}.png", {"COVID", "Normal"}, 0, 0),
        ("{0,1,2,3,4}/{1,2}.png", {"0", "1", "2", "3", "4"}, 0, 0),
        ("{grade1,grade2,grade3}/{1,2}.png", {"grade1", "grade2", "grade3"}, 0, 0),
        ("{L,R}/{no_tumor,tumor}/{1,2}.png", {"no_tumor", "tumor"}, 0, 0),
        ("{Train,TestA,TestB}/{Lymphocyte,Monocyte}/{1,2}.png", {"Lymphocyte", "Monocyte"}, 2, 0),
        ("{800,7000}/{HP,NORM}/{1,2}.png", {"HP", "NORM"}, 0, 0),
        ("{HP,NORM}/{40,100,200,400}/{1,2}.png", {"HP", "NORM"}, 0, 0),
        ("{TRAIN,TEST,TEST_SIMPLE}/{Lymphocyte,Monocyte}/{1,2}.png", {"Lymphocyte", "Monocyte"}, 2, 0),
        ("{train_images,test_images}/{Lymphocyte,Monocyte}/{1,2}.png", {"Lymphocyte", "Monocyte"}, 2, 0),
        ("{train_and_validation_sets,test_set}/{A,B}/{1,2}.png", {"A", "B"}, 2, 0),
        ("{HP,NORM}/{101,102,103}/{1,2}.png", {"HP", "NORM"}, 0, 3),
    ],
)
def test_the_level_of_the_classes(tmp_path: Path, pattern: str, classes: set[str], parts: int, patients: int) -> None:
    found = listing(drawn(tmp_path / "d", pattern))
    assert labels(found) == classes
    assert len({entry.part for entry in found.entries} - {None}) == parts
    assert len({entry.folder for entry in found.entries} - {None}) == patients


@pytest.mark.parametrize("pattern", ["{fold_0,fold_1}/{1,2}.png", "{images_001,images_002}/{1,2}.png", "{batch1,batch2}/{1,2}.png",
                                     "{patient01,patient02,patient03}/{1,2}.png", "{train,test}/{1,2}.png"])  # fmt: skip
def test_folders_that_are_places_label_nothing(tmp_path: Path, pattern: str) -> None:
    assert labels(listing(drawn(tmp_path / "d", pattern))) == {None}


def test_two_levels_that_may_be_classes_are_refused_and_chosen_between(tmp_path: Path) -> None:
    root = drawn(tmp_path / "d", "{alpha,beta}/{red,blue}/{1,2}.png")
    with pytest.raises(DataError, match=r"say --column label=folder1 \(alpha, beta\) or --column label=folder2"):
        listing(root)
    found = listing(root, choices=Choices(columns_asked(["label=folder2"])))
    assert labels(found) == {"red", "blue"}


@pytest.mark.parametrize(
    ("patterns", "images", "masks"),
    [
        (("{COVID,Normal}/{images,masks}/{1,2,3}.png",), 6, 6),
        (("{a,b}/x{1,2}.png", "{a,b}/x{1,2}_mask.png"), 4, 4),
        (("{HGG,LGG}/{c1,c2}/s_{t1,t2,seg}.nii.gz",), 8, 4),
        (("{a,b}/i{1,2}.jpg", "{a,b}/i{1,2}_segmentation.png"), 4, 4),
        (("images/{a,b}/{1,2}.png", "ground_truth/{a,b}/{1,2}_gt.png"), 4, 4),
        (("{a,b}/x{1,2}.png", "{a,b}/GT_x{1,2}.png"), 4, 4),
        (("{a,b}/{1,2}_mask.png",), 4, 0),  # nothing that they mask
        (("masks/{1,2}.png", "normal/{3,4}.png"), 4, 0),  # nothing of their names
    ],
)
def test_masks_are_no_images(tmp_path: Path, patterns: tuple[str, ...], images: int, masks: int) -> None:
    found = listing(drawn(tmp_path / "d", *patterns), wanted=Wanted("classify"))
    assert len(found.entries) == images
    assert found.understood.set_aside.get("mask", 0) == masks


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("{c}/x{i}.png", "{c}/x{i}_lesion.png"),
        ("{c}/x{i}.jpg", "{c}/x{i}.png"),
        ("{c}/x{i}.png", "{c}/outline-x{i}.jpg"),
        ("photo/{c}/{i}.png", "drawing/{c}/{i}.png"),
        ("{c}/photo/{i}.png", "{c}/drawing/{i}.jpg"),
    ],
)
@pytest.mark.parametrize("flat", [True, False])
def test_masks_that_no_word_tells_are_known_by_their_pixels(tmp_path: Path, image: str, mask: str, flat: bool) -> None:
    rng = np.random.default_rng(3)
    for c in "ab":
        for i in range(4):
            pixels = rng.integers(0, 256, (24, 24), dtype=np.uint8)
            other = rng.integers(0, 256, (24, 24), dtype=np.uint8)
            drawn_mask = np.zeros((24, 24), np.uint8)
            drawn_mask[4 : 12 + i, 8:16] = 255
            for name, array in ((image, pixels), (mask, drawn_mask if flat else other)):
                path = tmp_path / name.format(c=c, i=i)
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), array)
    found = sorted_out(tmp_path, list_files(tmp_path).paths)
    expected = {mask.format(c=c, i=i): image.format(c=c, i=i) for c in "ab" for i in range(4)} if flat else {}
    assert found.masks == expected
    assert len(found.images) == (8 if flat else 16)


@pytest.mark.parametrize("name", ["chest_xray", "OCT2017"])
def test_a_copy_of_the_folder_inside_it_is_left_out(tmp_path: Path, name: str) -> None:
    inside = "{train,test}/{NORMAL,SICK}/{1,2}.png"
    found = listing(drawn(tmp_path / name, inside, f"{name}/{inside}"))
    assert (len(found.entries), found.understood.set_aside) == (8, {"copy": 8})


@pytest.mark.parametrize("odd", ["normal\u200b", "normal\u00ad", "nor\u2060mal", " normal"])
def test_invisible_letters_make_no_other_class(tmp_path: Path, odd: str) -> None:
    root = drawn(tmp_path / "d", "{sick,normal}/{1,2}.png", f"{odd}/3.png")
    assert labels(listing(root)) == {"sick", "normal"}


def test_versions_of_the_same_images_are_refused(tmp_path: Path) -> None:
    drawn(tmp_path, "{Original,Segmented}/{Benign,Pre}/WBC-{001,002,003}.jpg")
    with pytest.raises(
        DataError, match=r"Original, Segmented hold files of the same names.*, say --column ignore=folder1"
    ) as refused:
        listing(tmp_path)
    assert str(tmp_path / "Original") in str(refused.value)
    assert labels(listing(tmp_path / "Original")) == {"Benign", "Pre"}
    whole = listing(tmp_path, choices=Choices(columns_asked(["ignore=folder1", "label=folder2"])))
    assert len(whole.entries) == 12
    assert labels(whole) == {"Benign", "Pre"}


def test_new_images_of_keras_are_no_thumbnails(tmp_path: Path) -> None:
    drawn(
        tmp_path,
        "{Caries,Ulcer}/preview/{c_0_1009,c_1_77}.jpeg",
        "{Caries,Ulcer}/original/{a,b}.jpg",
        "{Caries,Ulcer}/thumbs/a_thumb.jpg",
    )
    found = sorted_out(tmp_path, list_files(tmp_path).paths)
    assert found.aside == {"thumbnail": 2}
    assert len(found.images) == 8


def test_videos_and_cut_out_cells_are_kept_together(tmp_path: Path) -> None:
    videos = [f"{n * 2654435761 % 2**64:016x}"[:14] + "a1" for n in range(1, 7)]
    frames = listing(drawn(tmp_path / "frames", *(f"{{Normal,Polyp}}/{video}_{{22803,22917}}.jpg" for video in videos)))
    assert {entry.folder for entry in frames.entries} == set(videos)
    drawn(tmp_path / "cells", "{Metaplastic,Parabasal}/{001,002,003}.bmp")
    cells = listing(drawn(tmp_path / "cells", "{Metaplastic,Parabasal}/CROPPED/{001,002,003}_{01,02}.bmp"))
    assert len(cells.entries) == 18
    assert len({entry.folder for entry in cells.entries}) == 6
    assert labels(cells) == {"Metaplastic", "Parabasal"}


def test_lists_of_paths_and_labels_of_each_part_are_read_together(tmp_path: Path) -> None:
    drawn(tmp_path, "images/{01,02,03,04,05,06,07,08,09}.png")
    for at, part in enumerate(("train", "val", "test")):
        lines = [f"images/{n:02d}.png\t{n % 3}" for n in range(at * 3 + 1, at * 3 + 4)]
        (tmp_path / f"{part}.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "test_notes.txt").write_text("Nothing to see here.\n")
    drawn(tmp_path / "classes", "{normal,polyp}/{k1,k2,k3}.png")
    for part, number in (("train", 1), ("val", 2), ("test", 3)):
        (tmp_path / f"classes/{part}.txt").write_text(f"normal/k{number}.png 0\npolyp/k{number}.png 1\n")
    named = listing(tmp_path / "classes")
    assert named.labels == {"normal", "polyp"}  # the numbers of the lists are those of the folders
    assert named.table is not None
    assert named.table.table["part"].n_unique() == 3
    (tmp_path / "classes").rename(tmp_path.parent / f"{tmp_path.name}-classes")
    found = listing(tmp_path)
    assert found.labels == {"0", "1", "2"}
    assert found.table is not None
    assert dict(found.table.table["part"].value_counts().iter_rows()) == {"train": 3, "validation": 3, "test": 3}


def test_a_table_without_labels_does_not_hide_one_below(tmp_path: Path) -> None:
    drawn(tmp_path, "Input/{ISIC_01,ISIC_02,ISIC_03,ISIC_04,ISIC_05,ISIC_06,ISIC_07,ISIC_08,ISIC_09}.jpg")
    names = [f"ISIC_{n:02d}" for n in range(1, 10)]
    (tmp_path / "Groupings.csv").write_text(
        "image,lesion_id,diagnosis_confirm_type\n" + "".join(f"{n},L{n},{'ab'[at % 2]}\n" for at, n in enumerate(names))
    )
    (tmp_path / "Truth").mkdir()
    (tmp_path / "Truth/Truth.csv").write_text(
        "image,MEL,NV\n" + "".join(f"{n},{at % 2},{1 - at % 2}\n" for at, n in enumerate(names))
    )
    assert listing(tmp_path).labels == {"MEL", "NV"}


def test_masks_of_several_readers_in_a_folder_of_masks_are_no_images(tmp_path: Path) -> None:
    drawn(
        tmp_path,
        "Main Dataset/{Baso,eosi}/{1,2,3}.bmp",
        "Ground Truth Segmentation/{Baso,eosi}/area{1,2}/{1,2,3}_expert.bmp",
    )
    found = sorted_out(tmp_path, list_files(tmp_path).paths)
    assert len(found.images) == 6
    assert len(found.masks) == 12


def test_tables_of_one_name_in_folders_of_parts(tmp_path: Path) -> None:
    for at, part in enumerate(("train", "valid", "test")):
        drawn(tmp_path, f"{part}/{{1,2,3}}.jpg")  # the same names in each
        rows = [f"{n}.jpg, {int((n + at) % 2)}, {int((n + at + 1) % 2)}" for n in (1, 2, 3)]
        (tmp_path / part / "_classes.csv").write_text("filename, fungal, healthy\n" + "\n".join(rows) + "\n")
    found = listing(tmp_path)
    assert found.table is not None
    told = {(row["path"], row["label"], row["part"]) for row in found.table.table.iter_rows(named=True)}
    assert {
        ("train/1.jpg", "fungal", "train"),
        ("valid/1.jpg", "healthy", "validation"),
        ("test/1.jpg", "fungal", "test"),
    } <= told
    assert len(told) == 9


def test_of_two_tables_the_one_with_labels_and_patients_of_the_other(tmp_path: Path) -> None:
    names = [f"ISIC_{n:02d}" for n in range(12)]
    drawn(tmp_path, f"Input/{{{','.join(names)}}}.jpg")
    truth = [f"{name},{n % 2},{1 - n % 2}" for n, name in enumerate(names)]
    others = [f"{name},{['torso', 'head'][n // 2 % 2]},L{n // 2}" for n, name in enumerate(names)]
    (tmp_path / "Truth.csv").write_text("image,MEL,NV\n" + "\n".join(truth) + "\n")
    (tmp_path / "Metadata.csv").write_text("image,anatom_site_general,lesion_id\n" + "\n".join(others) + "\n")
    (tmp_path / "sample_submission.csv").write_text("image,MEL,NV\n" + "".join(f"{name},0,1\n" for name in names))
    found = listing(tmp_path)
    assert found.labels == {"MEL", "NV"}
    assert [entry.folder for entry in found.entries] == [f"L{n // 2}" for n in range(12)]
    assert ("Metadata.csv: lesion_id", "patient") in [(row.place, row.meaning) for row in found.understood.rows]
    (tmp_path / "Other.csv").write_text(
        "image,region\n" + "".join(f"{name},{'ab'[n % 2]}\n" for n, name in enumerate(names))
    )
    assert "scan.table_of_several" in {note.code for note in listing(tmp_path).notes}
    (tmp_path / "Metadata.csv").unlink()
    assert {entry.folder for entry in listing(tmp_path).entries} == {None}


def test_a_patient_in_two_words_of_names(tmp_path: Path) -> None:
    drawn(tmp_path, "{Mild,Severe}/UC_patient_{101,102,103,104,105,106}_{1,2}.bmp")
    assert {entry.folder for entry in listing(tmp_path).entries} == {f"patient-{n}" for n in range(101, 107)}


def test_augmented_copies_and_folds_that_repeat_images_are_refused(tmp_path: Path) -> None:
    drawn(
        tmp_path / "a",
        "Original Dataset/{Measles,Normal}/m_{01,02}.png",
        "AugmentedDataset/{Measles,Normal}/m_{01,02}_{1,2}.png",
    )
    with pytest.raises(DataError, match=r"AugmentedDataset hold augmented copies .* such as '.*/Original Dataset'"):
        listing(tmp_path / "a")
    assert len(listing(tmp_path / "a" / "Original Dataset").entries) == 4
    drawn(tmp_path / "f", "{fold_1,fold_2}/{benign,malignant}/SOB_{001,002,003}.png")
    with pytest.raises(DataError, match="fold_1, fold_2 hold files of the same names"):
        listing(tmp_path / "f")
    drawn(tmp_path / "g", "fold_1/{benign,malignant}/SOB_{001,002}.png", "fold_2/{benign,malignant}/SOB_{003,004}.png")
    assert len(listing(tmp_path / "g").entries) == 8


def test_one_image_in_two_formats_or_with_a_thumbnail_is_one(tmp_path: Path) -> None:
    for at, place in enumerate(f"{kind}/case_{number}" for kind in ("polyp", "ulcer") for number in range(6)):
        picture(tmp_path / f"a/{place}.tif", at)
        picture(tmp_path / f"a/{place}.jpg", at)
    found = sorted_out(tmp_path / "a", list_files(tmp_path / "a").paths)
    assert found.aside == {"format": 12}
    assert {Path(file).suffix for file in found.images} == {".tif"}
    drawn(
        tmp_path / "b",
        "{polyp,ulcer}/case_{01,02,03}.jpg",
        "{polyp,ulcer}/case_{01,02,03}_thumb.jpg",
        "polyp/lone_thumb.jpg",
    )
    assert sorted_out(tmp_path / "b", list_files(tmp_path / "b").paths).aside == {"thumbnail": 6}


def test_a_class_called_seg_is_no_folder_of_masks(tmp_path: Path) -> None:
    for at, cell in enumerate(("BAND", "EOS", "LYM", "MON", "SEG")):
        for number in range(3):
            picture(tmp_path / f"{cell}/{number}.png", at * 10 + number)
    assert labels(listing(tmp_path)) == {"BAND", "EOS", "LYM", "MON", "SEG"}


def test_stains_of_the_same_slides_are_no_classes(tmp_path: Path) -> None:
    drawn(tmp_path, "{HE,IHC}/{train,test}/{00001_0,00002_1+,00003_2+,00004_0}.png")
    with pytest.raises(DataError, match=r"HE, IHC hold files of the same names.* say --column label=folder1"):
        listing(tmp_path)
    assert labels(listing(tmp_path, choices=Choices(columns_asked(["label=folder1"])))) == {"HE", "IHC"}
    drawn(tmp_path / "cells", "{Baso,Eosino}/image_{001,002,003,004}.png")
    assert labels(listing(tmp_path / "cells")) == {"Baso", "Eosino"}


def test_a_table_in_each_folder_of_frames(tmp_path: Path) -> None:
    for video in ("VID01", "VID02", "VID03"):
        drawn(tmp_path, f"{video}/{{0001,0002,0003}}.png")
        (tmp_path / video / "labels.csv").write_text("frame,phase_label\n0001.png,cut\n0002.png,clip\n0003.png,cut\n")
    found = listing(tmp_path)
    assert found.table is not None
    assert found.table.table["path"].n_unique() == 9
    assert {entry.folder or entry.file.split("/")[0] for entry in found.entries} == {"VID01", "VID02", "VID03"}
    names = [f"{n:02d}" for n in range(20)]
    shared = drawn(tmp_path / "other", f"trainval/{{{','.join(names)}}}.png", f"test/{{{','.join(names[:6])}}}.png")
    (tmp_path / "t.csv").write_text("image,label\n" + "".join(f"{n}.png,{'ab'[int(n) % 2]}\n" for n in names))
    with pytest.raises(DataError, match=r"6 of the 20 images .* have the name of several files, such as '00.png' of 2"):
        listing(shared, labels=tmp_path / "t.csv")
