"""DICOM without names: canaries planted in every attribute of the dictionary, at every depth, and the standard's own table."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from evenray.core.errors import ReadError
from evenray.data.deidentify import Names, deidentified
from evenray.data.deidentify.profile import action
from evenray.images.readers import read
from evenray.images.readers.dicom_parse import quiet

NAMES = Names(bytes(range(32)), "patient-0123456789abcdef")
NAME, NUMBER, DATE, KOREAN, PLACE = "Kanarie^Minsu", "48151623", "19790417", "김민수", "Saint Elsewhere"
CANARIES = [
    word.encode() for word in ("Kanarie", "KANARIE", "Minsu", "MINSU", NUMBER, DATE, KOREAN, "Elsewhere", "481516")
]
TEXT = {"LO", "SH", "ST", "LT", "UT", "UC", "PN"}


def radiograph(**more: object) -> FileDataset:
    """A small radiograph whose patient is named."""
    own = Dataset()
    own.SOPClassUID, own.SOPInstanceUID = pydicom.uid.ComputedRadiographyImageStorage, f"1.2.3.{NUMBER}.1"
    own.StudyInstanceUID, own.SeriesInstanceUID = f"1.2.3.{NUMBER}", f"1.2.3.{NUMBER}.2"
    own.SpecificCharacterSet = "ISO_IR 192"
    own.PatientID, own.PatientName, own.PatientBirthDate, own.PatientSex = NUMBER, NAME, DATE, "F"
    own.AccessionNumber, own.StudyDate, own.InstitutionName, own.Modality = NUMBER, DATE, PLACE, "CR"
    own.Rows = own.Columns = 32
    own.SamplesPerPixel, own.PhotometricInterpretation, own.PixelRepresentation = 1, "MONOCHROME2", 0
    own.BitsAllocated, own.BitsStored, own.HighBit = 16, 12, 11
    own.PixelData = np.random.default_rng(0).integers(0, 4096, (32, 32), np.uint16).tobytes()
    for keyword, value in more.items():
        setattr(own, keyword, value)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return FileDataset("", own, file_meta=meta, preamble=bytes(128))


def planted(vr: str) -> object:
    """A value of a VR that names somebody; None where a VR holds no text."""
    if vr in TEXT:
        return f"{NAME} {KOREAN} {NUMBER} {DATE} {PLACE}" if vr != "SH" else "Kanarie 481516"
    if vr in ("UN", "OB"):
        return f"{NAME} {NUMBER} ".encode()
    return {
        "AE": "KANARIE", "CS": "KANARIE_MINSU", "AS": "048Y", "DA": DATE, "DT": f"{DATE}120000", "TM": "120000", "IS": NUMBER,
        "DS": NUMBER, "UI": f"1.2.3.{NUMBER}", "UR": f"http://pacs/{NUMBER}",
    }.get(vr)  # fmt: skip


def plant(dataset: Dataset, depth: int) -> None:
    """A canary in every attribute of the dictionary, in a private block, and so on below every sequence."""
    for tag, (vrs, *_, keyword) in DicomDictionary.items():
        if (
            tag in dataset
            or tag >> 16 in (0x0000, 0x0002, 0x0004, 0x7FE0, 0xFFFE)
            or not keyword
            or keyword == "SpecificCharacterSet"
        ):
            continue
        vr = vrs.split(" or ")[0]
        if vr == "SQ" and depth:
            inner = Dataset()
            plant(inner, depth - 1) if keyword == "SharedFunctionalGroupsSequence" else plant_few(inner)
            dataset.add_new(tag, "SQ", Sequence([inner]))
        elif (value := planted(vr)) is not None:
            dataset.add_new(tag, vr, value)
    plant_few(dataset)


def plant_few(dataset: Dataset) -> None:
    dataset.PatientName, dataset.PatientComments, dataset.StudyDate = NAME, f"{KOREAN} {NUMBER}", DATE
    dataset.ConvolutionKernel, dataset.ProtocolName, dataset.FilterType = NAME, NAME, "KANARIE"
    dataset.InstanceNumber, dataset.ReferencedSOPInstanceUID = NUMBER, f"1.2.3.{NUMBER}.1"
    block = dataset.private_block(0x0029, "KANARIE 1.0", create=True)
    block.add_new(1, "LO", NAME)
    block.add_new(2, "SQ", [Dataset()])
    block[2].value[0].PatientName = NAME
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "48151", "99KANARIE", NAME
    public = Dataset()
    public.CodeValue, public.CodingSchemeDesignator, public.CodeMeaning = "39607008", "SCT", NAME
    dataset.AnatomicRegionSequence = [code, public]


def cleaned(dataset: FileDataset, folder: Path, *, preamble: bytes = bytes(128)) -> tuple[bytes, FileDataset]:
    dataset.preamble = preamble
    path = folder / "one.dcm"
    with pydicom.config.disable_value_validation(), quiet():
        dataset.save_as(path, enforce_file_format=True)
    found = deidentified(path, NAMES)
    return found, pydicom.dcmread(io.BytesIO(found))


def test_no_canary_of_any_attribute_at_any_depth_is_left(tmp_path: Path) -> None:
    source = radiograph()
    with pydicom.config.disable_value_validation():
        plant(source, 1)
    source.file_meta.SourceApplicationEntityTitle, source.file_meta.SendingApplicationEntityTitle = "KANARIE", "KANARIE"
    source.file_meta.PrivateInformationCreatorUID, source.file_meta.PrivateInformation = (
        f"1.2.3.{NUMBER}",
        NAME.encode(),
    )
    source.add_new(0x60000010, "US", 32)
    source.add_new(0x60003000, "OW", NAME.encode() + b" ")
    source.add_new(0x60004000, "LT", NAME)
    source.add_new(0x50003000, "OW", NAME.encode() + b" ")
    source.add_new(0xFFFCFFFC, "OB", NAME.encode() + b" ")
    source.PixelData += b"Kanarie^Minsu "  # behind the pixels
    found, read_back = cleaned(source, tmp_path, preamble=b"Kanarie".ljust(128, b"\0"))
    assert len(source) > 3000, "every attribute was planted"
    assert (tmp_path / "one.dcm").read_bytes().count(b"Kanarie") > 1000
    assert [word for word in CANARIES if word in found or word.decode().encode("utf-16-le") in found] == []
    assert read_back.PixelData == radiograph().PixelData
    assert read_back.PatientID == str(read_back.PatientName) == NAMES.patient
    assert str(read_back.AnatomicRegionSequence[0].CodeMeaning) == "Lung structure (body structure)"
    assert len(read_back.AnatomicRegionSequence) == 1


def test_canaries_of_values_that_break_their_vr_go_too(tmp_path: Path) -> None:
    source = radiograph()
    with pydicom.config.disable_value_validation():
        for keyword, vr in (
            ("WindowCenter", "DS"),
            ("SeriesNumber", "IS"),
            ("FrameOfReferenceUID", "UI"),
            ("KVP", "UN"),
        ):
            source.add(pydicom.dataelem.RawDataElement(
                pydicom.tag.Tag(keyword), vr, 14, b"Kanarie^Minsu ", 0, False, True, True))  # fmt: skip
        found, _ = cleaned(source, tmp_path)
    assert [word for word in CANARIES if word in found] == []


# From PS3.15, table E.1-1 (read in the standard, not in the package that has the table): tag and action of the basic profile.
ROWS = [
    (0x00080050, "Z"), (0x00080080, "X/Z/D"), (0x00080090, "Z"), (0x00081030, "X"), (0x00081140, "X/Z/U*"), (0x00080018, "U"),
    (0x00080020, "Z"), (0x00080021, "X/D"), (0x00080022, "X/Z"), (0x00080023, "Z/D"), (0x0020000D, "U"), (0x0020000E, "U"),
    (0x00200052, "U"), (0x00100010, "Z"), (0x00100020, "Z/D"), (0x00100030, "Z"), (0x00100040, "Z"), (0x00101010, "X"),
    (0x00104000, "X"), (0x00181000, "X/Z/D"), (0x00204000, "X"), (0x00380500, "X"), (0x00400275, "X"), (0x0040A730, "D"),
    (0x00880200, "X"), (0x00082112, "X/Z/U*"), (0x00080092, "X"), (0x00400555, "X/Z"), (0x00189424, "X"), (0x00101040, "X"),
]  # fmt: skip
MEANS = {
    "X": "remove", "Z": "empty", "X/Z": "clear", "D": "dummy", "Z/D": "dummy", "X/D": "dummy", "X/Z/D": "dummy", "U": "uid",
    "X/Z/U*": "inside",
}  # fmt: skip


@pytest.mark.parametrize(("tag", "told"), ROWS, ids=[keyword_for_tag(tag) for tag, _ in ROWS])
def test_rows_of_the_standard(tag: int, told: str) -> None:
    assert action(tag) == MEANS[told]


def test_what_a_network_needs_stays(tmp_path: Path) -> None:
    source = radiograph(
        ImagerPixelSpacing=[0.143, 0.143], ViewPosition="PA", BodyPartExamined="CHEST", KVP="120", WindowCenter="2048",
        WindowWidth="4096", RescaleSlope="1", RescaleIntercept="0", RescaleType="US", Manufacturer="FUJIFILM Corporation (Seoul)",
        ImageType=["ORIGINAL", "PRIMARY", "KANARIE"], PresentationLUTShape="IDENTITY", PatientOrientation=["L", "F"],
        InstanceNumber="3", SeriesNumber="1001",
    )  # fmt: skip
    _, found = cleaned(source, tmp_path)
    kept = (
        "ImagerPixelSpacing", "ViewPosition", "BodyPartExamined", "KVP", "WindowCenter", "WindowWidth", "RescaleSlope", "RescaleType",
        "PresentationLUTShape", "PatientOrientation", "InstanceNumber", "SeriesNumber", "Modality",
    )  # fmt: skip
    for keyword in kept:
        assert found[keyword].value == source[keyword].value
    assert found.Manufacturer == "Fujifilm"
    assert list(found.ImageType) == ["ORIGINAL", "PRIMARY"]
    assert re.fullmatch("site-[0-9a-f]{8}", found.InstitutionName)
    assert found.PatientIdentityRemoved == "YES"
    assert found.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert found.LongitudinalTemporalInformationModified == "REMOVED"


def test_uids_stay_consistent_and_follow_the_key(tmp_path: Path) -> None:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = (
        pydicom.uid.CTImageStorage,
        f"1.2.3.{NUMBER}.1",
    )
    source = radiograph(SourceImageSequence=[reference], FrameOfReferenceUID=f"1.2.3.{NUMBER}")
    first, found = cleaned(source, tmp_path)
    assert (
        found.SourceImageSequence[0].ReferencedSOPInstanceUID
        == found.SOPInstanceUID
        == found.file_meta.MediaStorageSOPInstanceUID
    )
    assert found.FrameOfReferenceUID == found.StudyInstanceUID != found.SeriesInstanceUID
    assert found.SourceImageSequence[0].ReferencedSOPClassUID == pydicom.uid.CTImageStorage
    assert found.SOPClassUID == source.SOPClassUID
    assert all(uid.is_valid for uid in (found.SOPInstanceUID, found.StudyInstanceUID))
    assert deidentified(tmp_path / "one.dcm", NAMES) == first
    other = pydicom.dcmread(io.BytesIO(deidentified(tmp_path / "one.dcm", Names(bytes(32), "p"))))
    assert other.StudyInstanceUID != found.StudyInstanceUID


def with_comment(data: bytes) -> bytes:
    text = NAME.encode()
    return data[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + data[2:]


@pytest.mark.parametrize("pieces", [1, 3])
def test_texts_in_compressed_pixels_are_blanked_and_pixels_stay(tmp_path: Path, pieces: int) -> None:
    import cv2

    grey = np.random.default_rng(1).integers(0, 255, (32, 32), np.uint8)
    stream = with_comment(cv2.imencode(".jpg", grey)[1].tobytes()) + b" Minsu"
    source = radiograph(BitsAllocated=8, BitsStored=8, HighBit=7)
    source.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    source.PixelData = encapsulate([stream], fragments_per_frame=pieces)
    source["PixelData"].is_undefined_length = True
    found, _ = cleaned(source, tmp_path)
    (tmp_path / "two.dcm").write_bytes(found)
    assert [word for word in CANARIES if word in found] == []
    assert np.array_equal(read(tmp_path / "one.dcm").pixels, read(tmp_path / "two.dcm").pixels)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"BurnedInAnnotation": "YES"}, "says that text is burned into"),
        (
            {"PixelData": np.full((32, 32), 0x1001, np.uint16).tobytes()},
            "holds more in its pixels than their stored bits",
        ),
    ],
)
def test_what_cannot_be_cleaned_is_set_aside(tmp_path: Path, more: dict[str, object], said: str) -> None:
    with pytest.raises(ReadError, match=said) as error:
        cleaned(radiograph(**more), tmp_path)
    assert "Kanarie" not in str(error.value).replace(str(tmp_path), "")


def test_a_stream_that_cannot_be_followed_is_set_aside(tmp_path: Path) -> None:
    source = radiograph()
    source.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
    source.PixelData = encapsulate([b"\x00\x00\x00\x0cjP  Kanarie^Minsu "])
    source["PixelData"].is_undefined_length = True
    with pytest.raises(ReadError, match="cannot be followed to their end"):
        cleaned(source, tmp_path)


def errors(path: Path) -> Counter[str]:
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace")
    lines = (line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error"))
    return Counter(re.sub(r"[\d.]{8,}|= <[^>]*>", "", line) for line in lines)


def real(folder: Path) -> Iterator[Path]:
    for place in ("ds/LittleEndianExplicit/CT_small.dcm", "ds/LittleEndianExplicit/MR_small.dcm", "ds/RLELossless/MR_small_RLE.dcm",
                  "ds/LittleEndianExplicit/OBXXXX1A.dcm", "ds/LittleEndianExplicit/emri_small.dcm", "ds/JPEGLS/RG2_JLSN.dcm",
                  "ds/JPEG2000Lossless/966_fixed.dcm", "ds/JPEG2000Lossless/NM_Kakadu44_SOTmarkerincons.dcm"):  # fmt: skip
        yield folder / "dicom" / "codecs" / place


def test_real_files_stay_valid_and_their_pixels_as_they_were(evenray_data: Path, tmp_path: Path) -> None:
    for path in real(evenray_data):
        made = tmp_path / path.name
        made.write_bytes(deidentified(path, NAMES))
        assert np.array_equal(read(path).pixels, read(made).pixels)
        if shutil.which("dciodvfy"):
            assert errors(made) - errors(path) == Counter(), path.name
