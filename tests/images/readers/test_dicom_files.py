"""How DICOM files are built, well and badly: encodings, frames, colours, spacing, limits, privacy."""

from __future__ import annotations

import dataclasses
import logging
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from evenray.core.errors import ReadError
from evenray.images.readers import LIMITS, Identity, fragments, identity, read, sniff

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
RGB = np.random.default_rng(3).integers(0, 256, (8, 6, 3), np.uint8)


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_native_encodings(make_dicom, syntax) -> None:
    image = read(make_dicom(RAMP, BitsStored=12, TransferSyntaxUID=syntax))
    np.testing.assert_array_equal(image.pixels, RAMP)
    assert image.header["transfer_syntax"] == syntax.name


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_lossless_compression(make_dicom, syntax) -> None:
    path = make_dicom(RAMP, BitsStored=12)
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax)
    dataset.save_as(path)
    np.testing.assert_array_equal(read(path).pixels, RAMP)


@pytest.mark.parametrize("implicit", [True, False])
def test_a_file_without_preamble_and_meta(make_dicom, implicit: bool) -> None:
    path = make_dicom(RAMP, BitsStored=12)
    dataset = pydicom.dcmread(path)
    del dataset.file_meta, dataset.preamble
    dataset.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    assert path.read_bytes()[128:132] != b"DICM"
    assert sniff(path) == "dicom"
    np.testing.assert_array_equal(read(path).pixels, RAMP)


def test_wrong_vrs(make_dicom) -> None:
    """Rows as text, the window as bytes of an unknown VR, the rescale as a float: read as the numbers that they are."""
    path = make_dicom(RAMP, BitsStored=12)
    data = path.read_bytes()
    rows = b"\x28\x00\x10\x00US\x02\x00" + struct.pack("<H", 64)
    assert rows in data
    dataset = pydicom.dcmread(path)
    dataset.add_new("WindowCenter", "UN", b"1000")
    dataset.add_new("WindowWidth", "LO", "1000")
    dataset.add_new("RescaleSlope", "FD", 2.0)
    dataset.add_new("RescaleIntercept", "FL", 0.0)
    dataset.save_as(path)
    path.write_bytes(path.read_bytes().replace(rows, b"\x28\x00\x10\x00IS\x02\x0064"))
    image = read(path)
    np.testing.assert_array_equal(image.pixels, RAMP * 2)
    assert image.value_range == (500, 1499)


def test_vrs_that_do_not_exist(make_dicom) -> None:
    path = make_dicom(RAMP, BitsStored=12)
    data = path.read_bytes()
    for tag, vr in ((b"\x28\0\x10\0", b"US"), (b"\x28\0\x01\x01", b"US")):
        assert tag + vr in data
        data = data.replace(tag + vr, tag + b"U\0")
    path.write_bytes(data)
    image = read(path)
    np.testing.assert_array_equal(image.pixels, RAMP)
    assert image.value_range == (0, 4095)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_frames(make_dicom, syntax) -> None:
    volume = np.stack([RAMP + k for k in range(3)])
    path = make_dicom(volume, NumberOfFrames=3)
    if syntax == RLELossless:
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax)
        dataset.save_as(path)
    assert fragments(path) == ["frame=0", "frame=1", "frame=2"]
    for index, name in enumerate(fragments(path)):
        image = read(path, fragment=name)
        np.testing.assert_array_equal(image.pixels, volume[index])
    np.testing.assert_array_equal(read(path).pixels, volume[0])
    assert image.header["frames"] == 3
    for wrong in ("frame=3", "frame=-1", "frame=x", "slice=0", "frame=9999999999999"):
        with pytest.raises(ReadError, match="frame=0 to frame=2"):
            read(path, fragment=wrong)


def test_attributes_of_one_frame_come_before_those_of_the_file(make_dicom) -> None:
    def group(keyword: str, **values: float) -> Dataset:
        inner, outer = Dataset(), Dataset()
        for name, value in values.items():
            setattr(inner, name, value)
        setattr(outer, keyword, [inner])
        return outer

    path = make_dicom(np.stack([RAMP, RAMP]), NumberOfFrames=2, BitsStored=12)
    dataset = pydicom.dcmread(path)
    dataset.SharedFunctionalGroupsSequence = [group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.25])]
    dataset.PerFrameFunctionalGroupsSequence = [
        group("PixelValueTransformationSequence", RescaleSlope=1, RescaleIntercept=offset) for offset in (0, -100)
    ]
    dataset.save_as(path)
    assert read(path, fragment="frame=0").pixels.min() == 0
    second = read(path, fragment="frame=1")
    assert (second.pixels.min(), second.spacing_mm, second.spacing_source) == (-100, (0.5, 0.25), "PixelSpacing")


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb(make_dicom, planar: int) -> None:
    stored = RGB.transpose(2, 0, 1).reshape(8, 6, 3) if planar else RGB
    image = read(make_dicom(np.ascontiguousarray(stored), PlanarConfiguration=planar))
    np.testing.assert_array_equal(image.pixels, RGB)
    assert (image.photometric, image.value_range, image.header["channels_in_file"]) == ("RGB", (0, 255), 3)


def test_ybr_full(make_dicom) -> None:
    image = read(make_dicom(RGB, PhotometricInterpretation="YBR_FULL"))
    np.testing.assert_array_equal(image.pixels, convert_color_space(RGB, "YBR_FULL", "RGB"))


def test_ybr_full_422(make_dicom) -> None:
    """Two pixels share their chroma: stored as Y1 Y2 B R."""
    y, chroma = RGB[..., 0], RGB[:, ::2, 1:]
    packed = np.concatenate([y.reshape(8, 3, 2), chroma], axis=2)
    path = make_dicom(RGB, PhotometricInterpretation="YBR_FULL_422")
    dataset = pydicom.dcmread(path)
    dataset.PixelData = packed.astype(np.uint8).tobytes()
    dataset.save_as(path)
    full = np.dstack([y, np.repeat(chroma, 2, axis=1)])
    np.testing.assert_array_equal(read(path).pixels, convert_color_space(full, "YBR_FULL", "RGB"))


def test_grey_saved_in_colour_becomes_grey(make_dicom) -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(8, 6)
    image = read(make_dicom(np.dstack([grey] * 3)))
    np.testing.assert_array_equal(image.pixels, grey)
    assert (image.photometric, image.header["photometric_in_file"]) == ("MONOCHROME2", "RGB")


def test_palette(make_dicom) -> None:
    indices = np.arange(16, dtype=np.uint8).reshape(4, 4)
    path = make_dicom(indices, PhotometricInterpretation="PALETTE COLOR")
    dataset, colours = pydicom.dcmread(path), np.random.default_rng(5).integers(0, 256, (3, 16), np.uint8)
    for name, entries in zip(("Red", "Green", "Blue"), colours, strict=True):
        dataset.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [16, 0, 8])
        dataset.add_new(f"{name}PaletteColorLookupTableData", "OW", entries.tobytes())
    dataset.save_as(path)
    np.testing.assert_array_equal(read(path).pixels, colours.T[indices])


def test_a_palette_picture_without_palette(make_dicom) -> None:
    with pytest.raises(ReadError, match="without its palette"):
        read(make_dicom(RGB[..., 0], PhotometricInterpretation="PALETTE COLOR"))


def test_one_bit_pixels(make_dicom) -> None:
    bits = np.random.default_rng(7).integers(0, 2, (8, 8), np.uint8)
    path = make_dicom(bits)
    dataset = pydicom.dcmread(path)
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.PixelData = np.packbits(bits, bitorder="little").tobytes()
    dataset.save_as(path)
    image = read(path)
    np.testing.assert_array_equal(image.pixels, bits)
    assert image.value_range == (0, 1)


SPACINGS = {"PixelSpacing": [0.5, 0.25], "ImagerPixelSpacing": [0.6, 0.3], "NominalScannedPixelSpacing": [0.7, 0.4]}


@pytest.mark.parametrize("first", range(4))
def test_spacings_are_kept_apart(make_dicom, first: int) -> None:
    given = dict(list(SPACINGS.items())[first:])
    image = read(make_dicom(RAMP, **given))
    expected = next(iter(given.items()), (None, None))
    assert image.spacing_source == expected[0]
    assert image.spacing_mm == (tuple(expected[1]) if expected[1] else None)
    keys = ("pixel_spacing", "imager_pixel_spacing", "nominal_scanned_pixel_spacing")
    assert [image.header.get(key) for key in keys] == [tuple(v) if k in given else None for k, v in SPACINGS.items()]


@pytest.mark.parametrize("spacing", [[0, 1], [-1, 1], [1]])
def test_impossible_spacing_is_none(make_dicom, spacing: list[float]) -> None:
    assert read(make_dicom(RAMP, PixelSpacing=spacing)).spacing_mm is None


def test_overlays_and_icons_are_not_the_image(make_dicom) -> None:
    path = make_dicom(RAMP, BitsStored=12)
    dataset = pydicom.dcmread(path)
    icon = Dataset()
    icon.Rows = icon.Columns = 2
    icon.BitsAllocated = 8
    icon.PixelData = b"\xff" * 4
    dataset.IconImageSequence = [icon]
    dataset.add_new(0x60000010, "US", 64)
    dataset.add_new(0x60003000, "OW", b"\xff" * 512)
    dataset.save_as(path)
    np.testing.assert_array_equal(read(path).pixels, RAMP)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"Rows": 0}, "0 rows"),
        ({"Columns": None}, "0 columns"),
        ({"BitsAllocated": 12}, "12 bits allocated"),
        ({"BitsStored": 17, "HighBit": 16}, "17 bits of 16"),
        ({"SamplesPerPixel": 2}, "2 samples"),
        ({"PhotometricInterpretation": None}, "no photometric interpretation"),
        ({"PhotometricInterpretation": "JOHN DOE"}, "an unknown photometric interpretation"),
        ({"PhotometricInterpretation": "RGB"}, "RGB with one sample"),
        ({"PixelData": None}, "holds no image"),
        ({"RescaleSlope": 1e300}, "out of bounds"),
    ],
)
def test_impossible_headers_say_why(make_dicom, attributes: dict[str, object], reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        read(make_dicom(RAMP, **attributes))


def test_truncated_pixel_data_says_so(make_dicom) -> None:
    path = make_dicom(RAMP)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ReadError, match="truncated") as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_video_is_refused_by_name(make_dicom) -> None:
    path = make_dicom(RAMP)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([b"\0\0\1\xba" * 8])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    dataset.save_as(path)
    with pytest.raises(ReadError, match="MPEG2"):
        read(path)


def jpeg_header(rows: int, columns: int, marker: int) -> bytes:
    frame = struct.pack(">BBHBHHB3B", 0xFF, marker, 11, 8, rows, columns, 1, 1, 0x11, 0)
    return b"\xff\xd8" + frame + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0\0\xff\xd9"


def compressed(make_dicom, syntax: str, frame: bytes) -> Path:
    path: Path = make_dicom(RAMP.astype(np.uint8))
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)
    return path


def test_a_stream_larger_than_its_header_is_not_decoded(make_dicom) -> None:
    path = compressed(make_dicom, JPEGBaseline8Bit, jpeg_header(65000, 65000, 0xC0))
    with pytest.raises(ReadError, match=r"64 rows x 64 columns.* holds 65000 rows"):
        read(path)


def nested(value_range: int) -> bytes:
    """The bytes of ReferencedImageSequence within itself, of undefined length, implicit VR."""
    open_ = b"\x08\0\x40\x11\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    close = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return open_ * value_range + close * value_range


@pytest.mark.parametrize("value_range", [LIMITS.sequence_depth + 1, 5000, 5001, 5002, 5003, 5004])
def test_deeply_nested_sequences_hit_their_limit(make_dicom, value_range: int) -> None:
    path = make_dicom(RAMP, TransferSyntaxUID=ImplicitVRLittleEndian)
    data = path.read_bytes()
    at = data.index(b"\x28\0\x02\0\x02\0\0\0")
    path.write_bytes(data[:at] + nested(value_range) + data[at:])
    with pytest.raises(ReadError, match="limit 'sequence_depth'"):
        read(path)
    path.write_bytes(data[:at] + nested(LIMITS.sequence_depth - 1) + data[at:])
    np.testing.assert_array_equal(read(path).pixels, RAMP)


def test_limits_name_themselves(make_dicom, monkeypatch) -> None:
    path = make_dicom(np.stack([RAMP] * 3), NumberOfFrames=3, ReferencedImageSequence=[Dataset()])
    for name, value in (
        ("pixels", 100),
        ("frames", 2),
        ("header_elements", 5),
        ("sequence_items", 0),
        ("file_bytes", 50),
    ):
        monkeypatch.setattr("evenray.images.readers._limits.LIMITS", dataclasses.replace(LIMITS, **{name: value}))
        monkeypatch.setattr("evenray.images.readers.dicom_parse.LIMITS", dataclasses.replace(LIMITS, **{name: value}))
        path.touch()  # what is remembered of the file is forgotten
        monkeypatch.setattr("evenray.images.readers._source._last", None)
        with pytest.raises(ReadError, match=f"limit '{name}'"):
            read(path)


def test_a_deflated_bomb_hits_its_limit(make_dicom, monkeypatch) -> None:
    path = make_dicom(RAMP, TransferSyntaxUID=DeflatedExplicitVRLittleEndian)
    data = path.read_bytes()
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = packer.compress(b"\0" * 2**25) + packer.flush()
    start = 144 + int.from_bytes(data[140:144], "little")
    path.write_bytes(data[:start] + bomb)
    monkeypatch.setattr("evenray.images.readers._limits.LIMITS", dataclasses.replace(LIMITS, file_bytes=2**24))
    with pytest.raises(ReadError, match="limit 'file_bytes'"):
        read(path)


CANARY = "Canary^Yellow"


def test_nothing_of_a_person_and_no_free_text_comes_along(make_dicom, caplog) -> None:
    path = make_dicom(RAMP, PixelSpacing=[1, 1], Modality="CR", Manufacturer="ACME Canary^Yellow Siemens")
    dataset = pydicom.dcmread(path)
    for tag, (vr, _, _, _, keyword) in pydicom.datadict.DicomDictionary.items():
        if (
            tag >> 16 not in (0, 2)
            and vr in ("LO", "PN", "SH", "LT", "ST", "UT", "AE", "UC")
            and keyword
            and keyword != "Manufacturer"
        ):
            dataset.add_new(tag, vr, CANARY)
        if vr == "CS" and keyword in ("ViewPosition", "BodyPartExamined", "PatientSex", "VOILUTFunction"):
            dataset.add_new(tag, vr, "CANARY")
    dataset.PatientBirthDate = "19340506"
    dataset.save_as(path)
    with caplog.at_level(logging.DEBUG):
        image = read(path)
    told = repr(vars(image)).lower() + caplog.text.lower()
    assert "canary" not in told
    assert "1934" not in told
    assert (image.header["manufacturer"], image.header["view"], image.header["modality"]) == ("Siemens", "other", "CR")


def test_errors_and_logs_do_not_quote_the_header(make_dicom, caplog, capfd) -> None:
    path = make_dicom(RAMP, BitsStored=12)
    dataset = pydicom.dcmread(path)
    dataset.add_new("WindowCenter", "LO", CANARY)
    dataset.add_new("NumberOfFrames", "LO", CANARY)
    dataset.add_new("PatientBirthDate", "LO", CANARY)
    dataset.PhotometricInterpretation = "CANARY"
    dataset.save_as(path)
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        with pytest.raises(ReadError) as caught:
            read(path)
    told = str(caught.value) + caplog.text + "".join(capfd.readouterr())
    assert "canary" not in told.lower()


@pytest.mark.parametrize(
    ("written", "kept"),
    [("GE MEDICAL SYSTEMS", "GE"), ("SIEMENS Healthineers", "Siemens"), ("Orange Imaging", "other"), ("", None)],
)
def test_manufacturers_are_kept_as_known_names(make_dicom, written: str, kept: str | None) -> None:
    assert read(make_dicom(RAMP, Manufacturer=written)).header.get("manufacturer") == kept


@pytest.mark.parametrize("said", [{"SyntheticData": "YES"}, {"SeriesDescription": "SYNTHETIC PHANTOM"}])
def test_synthetic_images_are_known_as_such(make_dicom, said: dict[str, str]) -> None:
    assert read(make_dicom(RAMP, **said)).header["synthetic"] is True
    assert "synthetic" not in read(make_dicom(RAMP)).header


def test_identity(make_dicom) -> None:
    path = make_dicom(
        RAMP,
        StudyInstanceUID="1.2.9",
        PatientID="p7",
        PatientName="Kim^Minsu",
        PatientSex="F",
        PatientBirthDate="19340506",
        InstitutionName="A",
    )
    assert identity(path) == Identity(
        sop_instance_uid="1.2.3.4",
        study_instance_uid="1.2.9",
        patient_id="p7",
        patient_name="Kim^Minsu",
        sex="F",
        birth_year=1934,
        age=None,
        site="A",
        kind="secondary_capture",
    )
    assert set(vars(identity(make_dicom(RAMP))).values()) == {"1.2.3.4", "secondary_capture", None}
