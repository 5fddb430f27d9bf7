"""The way from stored values to grey levels: rescale, window, look-up tables, padding, polarity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from evenray.core.errors import ReadError, UsageError
from evenray.core.types import Image
from evenray.images.readers import read
from evenray.images.readers.dicom_values import Grey, inverted
from evenray.images.readers.dicom_values import voi as apply_voi

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def unit(image: Image) -> np.ndarray:
    low, high = image.value_range
    return np.clip((image.pixels.astype(np.float64) - low) / (high - low), 0, 1)


@pytest.mark.parametrize(
    ("slope", "intercept", "dtype", "value_range"),
    [
        (1, 0, np.uint16, (0, 4095)),
        (1, -1024, np.int16, (-1024, 3071)),
        (-1, 4095, np.uint16, (0, 4095)),
        (-2, 0, np.int16, (-8190, 0)),
        (0.5, 0, np.float32, (0, 2047.5)),
        (8, 0, np.uint16, (0, 32760)),
        (100, 0, np.float32, (0, 409500)),
    ],
)
def test_rescale(make_dicom, slope: float, intercept: float, dtype: type, value_range: tuple[float, float]) -> None:
    image = read(make_dicom(RAMP, BitsStored=12, RescaleSlope=slope, RescaleIntercept=intercept))
    assert image.pixels.dtype == dtype
    assert image.value_range == value_range
    np.testing.assert_array_equal(image.pixels, RAMP * float(slope) + intercept)


def test_sixteen_bit_ct_stays_integer_where_its_values_fit(make_dicom) -> None:
    stored = np.array([[-2000, 3000], [0, 1024]], np.int16)
    image = read(make_dicom(stored, RescaleSlope=1, RescaleIntercept=-1024))
    assert image.pixels.dtype == np.int16
    assert image.value_range == (-32768 - 1024, 32767 - 1024)
    np.testing.assert_array_equal(image.pixels, stored - 1024)


def test_slope_zero_is_ignored_and_noted(make_dicom) -> None:
    image = read(make_dicom(RAMP, BitsStored=12, RescaleSlope=0, RescaleIntercept=5))
    np.testing.assert_array_equal(image.pixels, RAMP)
    assert image.header["rescale_ignored"] == "slope 0"


def test_signed_pixels_of_twelve_bits(make_dicom) -> None:
    stored = np.array([[-2048, -1], [0, 2047]], np.int16)
    # The bits above BitsStored hold an overlay; the sign stands in bit 11.
    planted = ((stored.view(np.uint16) & 0x0FFF) | 0x5000).view(np.int16)
    image = read(make_dicom(planted, BitsStored=12))
    np.testing.assert_array_equal(image.pixels, stored)
    assert image.value_range == (-2048, 2047)


def test_garbage_above_the_stored_bits(make_dicom) -> None:
    image = read(make_dicom(RAMP | 0xA000, BitsStored=12))
    np.testing.assert_array_equal(image.pixels, RAMP)


def test_high_bit_at_the_top(make_dicom) -> None:
    image = read(make_dicom(RAMP << 4 | 0x7, BitsStored=12, HighBit=15))
    np.testing.assert_array_equal(image.pixels, RAMP)


@pytest.mark.parametrize(
    ("function", "value_range"), [(None, (500, 1499)), ("LINEAR", (500, 1499)), ("LINEAR_EXACT", (500, 1500))]
)
def test_a_linear_window_moves_the_levels_only(
    make_dicom, function: str | None, value_range: tuple[float, float]
) -> None:
    extra = {"VOILUTFunction": function} if function else {}
    path = make_dicom(RAMP, BitsStored=12, WindowCenter=1000, WindowWidth=1000, **extra)
    image = read(path)
    np.testing.assert_array_equal(image.pixels, RAMP)
    assert image.value_range == value_range
    assert (image.header["window_center"], image.header["window_width"]) == (1000, 1000)
    reference = apply_voi_lut(RAMP, pydicom.dcmread(path))
    np.testing.assert_allclose(unit(image), reference / 4095, atol=1e-6)


def test_the_first_of_several_windows_counts(make_dicom) -> None:
    image = read(make_dicom(RAMP, BitsStored=12, WindowCenter=[40, 600], WindowWidth=[80, 1600]))
    assert image.value_range == (0, 79)


@pytest.mark.parametrize("width", [0, -5])
def test_a_window_without_width_is_ignored(make_dicom, width: float) -> None:
    image = read(make_dicom(RAMP, BitsStored=12, WindowCenter=40, WindowWidth=width))
    assert image.value_range == (0, 4095)


def test_a_window_of_width_one_is_a_threshold(make_dicom) -> None:
    image = read(make_dicom(RAMP, BitsStored=12, WindowCenter=1000, WindowWidth=1))
    assert image.value_range[0] < image.value_range[1]
    np.testing.assert_array_equal(unit(image), RAMP >= 1000)


@pytest.mark.parametrize(
    ("window", "value_range"),
    [
        ("none", (-1024, 3071)),
        ("brain", (0, 80)),
        ("lungs", (-1350, 150)),
        ("mediastinum", (-125, 225)),
        ("abdomen", (-150, 250)),
        ((100, 50), (75, 125)),
    ],
)
def test_windows_asked_for(make_dicom, window: Any, value_range: tuple[float, float]) -> None:
    path = make_dicom(RAMP, BitsStored=12, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=7, WindowWidth=9)
    image = read(path, window=window)
    assert image.value_range == value_range
    np.testing.assert_array_equal(image.pixels, RAMP.astype(int) - 1024)


def test_levels_asked_for_override_the_window(make_dicom) -> None:
    path = make_dicom(RAMP, BitsStored=12, WindowCenter=7, WindowWidth=9)
    assert read(path, value_range=(0, 1023)).value_range == (0, 1023)


@pytest.mark.parametrize(
    "wrong", [{"window": "bran"}, {"window": (1, 0)}, {"value_range": (5, 5)}, {"value_range": (1,)}]
)
def test_wrong_options_are_usage_errors(make_dicom, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        read(make_dicom(RAMP), **wrong)


def test_sigmoid(make_dicom) -> None:
    path = make_dicom(RAMP, BitsStored=12, WindowCenter=2000, WindowWidth=800, VOILUTFunction="SIGMOID")
    image = read(path)
    assert (image.pixels.dtype, image.value_range) == (np.uint16, (0, 65535))
    np.testing.assert_allclose(unit(image), 1 / (1 + np.exp(-4 * (RAMP - 2000.0) / 800)), atol=1e-5)


def test_voi_lut_as_pydicom_applies_it(make_dicom, make_lut) -> None:
    table = (np.linspace(0, 1, 1000) ** 2 * 65535).astype(int)
    path = make_dicom(RAMP, BitsStored=12, VOILUTSequence=make_lut([1000, 500, 16], table.tolist()))
    image = read(path)
    np.testing.assert_array_equal(image.pixels, apply_voi_lut(RAMP, pydicom.dcmread(path)))
    assert (image.value_range, image.header["range_from"]) == ((0, 65535), "VOI LUT")


def test_a_voi_lut_narrower_than_it_declares_is_not_shown_dark(make_dicom, make_lut) -> None:
    lut = make_lut([4096, 0, 16], list(range(4096)))
    image = read(make_dicom(RAMP, BitsStored=12, VOILUTSequence=lut))
    assert image.value_range == (0, 4095)
    assert (image.header["voi_lut_bits"], image.header["voi_lut_bits_used"]) == (16, 12)


def test_a_voi_lut_with_eight_bit_entries_packed_in_words(make_dicom, make_lut) -> None:
    entries = (np.arange(256) ** 2 // 255).astype(np.uint8)
    lut = make_lut([256, 0, 8], entries.tobytes(), "OW")
    stored = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = read(make_dicom(stored, VOILUTSequence=lut))
    np.testing.assert_array_equal(image.pixels.ravel(), entries)
    assert image.value_range == (0, 255)


def test_a_voi_lut_with_fewer_entries_than_declared_keeps_its_last(make_dicom, make_lut) -> None:
    lut = make_lut([4096, 0, 12], list(range(2000)))
    image = read(make_dicom(RAMP, BitsStored=12, VOILUTSequence=lut))
    np.testing.assert_array_equal(image.pixels, np.minimum(RAMP, 1999))


@pytest.mark.parametrize(("descriptor", "data"), [([4096, 0, 12], None), ([4096, 0, 40], [1, 2]), ([1, 2], [1, 2])])
def test_a_malformed_voi_lut_falls_back_to_the_window(make_dicom, make_lut, descriptor, data) -> None:
    lut = make_lut(descriptor, data)
    image = read(make_dicom(RAMP, BitsStored=12, VOILUTSequence=lut, WindowCenter=1000, WindowWidth=1000))
    assert image.value_range == (500, 1499)
    assert "voi_lut_ignored" in image.header


def test_modality_lut_as_pydicom_applies_it(make_dicom, make_lut) -> None:
    lut = make_lut([4096, 0, 16], (65535 - np.arange(4096) * 16).tolist())
    path = make_dicom(RAMP, BitsStored=12, ModalityLUTSequence=lut)
    image = read(path)
    np.testing.assert_array_equal(image.pixels, apply_modality_lut(RAMP, pydicom.dcmread(path)))
    assert image.value_range == (0, 65535)


def test_a_malformed_modality_lut_is_refused_and_an_empty_one_is_none(make_dicom, make_lut) -> None:
    with pytest.raises(ReadError, match="modality LUT is malformed"):
        read(make_dicom(RAMP, ModalityLUTSequence=make_lut([4096, 0, 12], None)))
    empty = pydicom.Sequence([Dataset()])
    assert read(make_dicom(RAMP, BitsStored=12, ModalityLUTSequence=empty)).value_range == (0, 4095)


@pytest.mark.parametrize(
    ("padding", "limit", "missing"),
    [(0, None, RAMP == 0), (100, 200, (RAMP >= 100) & (RAMP <= 200)), (200, 100, (RAMP >= 100) & (RAMP <= 200))],
)
def test_padding_is_missing(make_dicom, padding: int, limit: int | None, missing: np.ndarray) -> None:
    extra = {} if limit is None else {"PixelPaddingRangeLimit": limit}
    path = make_dicom(RAMP, BitsStored=12, PixelPaddingValue=padding, RescaleSlope=1, RescaleIntercept=-50, **extra)
    image = read(path)  # compared with stored values, not with rescaled ones
    np.testing.assert_array_equal(~image.valid, missing)


def test_padding_spelled_with_the_other_sign(make_dicom) -> None:
    stored = np.array([[-2000, 5], [6, 7]], np.int16)
    path = make_dicom(stored)
    dataset = pydicom.dcmread(path)
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
    dataset.save_as(path)
    np.testing.assert_array_equal(read(path).valid, [[False, True], [True, True]])


def test_padding_that_does_not_occur_leaves_every_pixel_valid(make_dicom) -> None:
    assert read(make_dicom(RAMP, BitsStored=12, PixelPaddingValue=60000)).valid is None


def test_monochrome1_inverts_after_the_window(make_dicom) -> None:
    path = make_dicom(RAMP, BitsStored=12, PhotometricInterpretation="MONOCHROME1", WindowCenter=1000, WindowWidth=1000)
    image = read(path)
    assert image.value_range == (500, 1499)
    np.testing.assert_array_equal(image.pixels, 1999 - RAMP.astype(int))
    assert (image.photometric, image.header["photometric_in_file"]) == ("MONOCHROME2", "MONOCHROME1")


@settings(max_examples=40, deadline=None)
@given(
    bits=st.sampled_from([8, 10, 12, 16]),
    signed=st.booleans(),
    slope=st.sampled_from([1, -1, 2, 0.25]),
    window=st.one_of(st.none(), st.tuples(st.integers(-3000, 70000), st.integers(1, 70000))),
    seed=st.integers(0, 2**32 - 1),
)
def test_monochrome1_is_the_negative_of_its_twin(make_dicom, bits, signed, slope, window, seed) -> None:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    dtype = np.dtype(f"{'i' if signed else 'u'}{1 if bits == 8 else 2}")
    stored = np.random.default_rng(seed).integers(low, high, (5, 7), endpoint=True).astype(dtype)
    extra: dict[str, Any] = {"RescaleSlope": slope, "RescaleIntercept": 0}
    if window:
        extra |= {"WindowCenter": window[0], "WindowWidth": window[1]}
    twins = []
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        twins.append(read(make_dicom(stored, BitsStored=bits, PhotometricInterpretation=photometric, **extra)))
    np.testing.assert_allclose(unit(twins[0]), 1 - unit(twins[1]), atol=1e-6)


def test_a_voi_lut_comes_before_the_inversion(make_dicom, make_lut) -> None:
    lut = make_lut([4096, 0, 12], (np.arange(4096) // 2 * 2).tolist())
    path = make_dicom(RAMP, BitsStored=12, PhotometricInterpretation="MONOCHROME1", VOILUTSequence=lut)
    np.testing.assert_array_equal(read(path).pixels, 4095 - RAMP.astype(int) // 2 * 2)


def test_inversion_keeps_unsigned_pixels_outside_the_window() -> None:
    grey = Grey(np.array([[0, 65535]], np.uint16), (0, 65535), (100, 200), "window")
    np.testing.assert_array_equal(inverted(grey).pixels, [[300, 300 - 65535]])


def test_voi_without_anything_changes_nothing() -> None:
    grey = Grey(np.zeros((2, 2), np.uint8), (0, 255), (0, 255), "bits stored")
    assert apply_voi(grey, [Dataset()]) == grey


def test_float_pixel_data(make_dicom) -> None:
    path = make_dicom(np.zeros((2, 2), np.uint16))
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    values = np.array([[0.5, -3], [np.nan, 7]], np.float32)
    dataset.add_new("FloatPixelData", "OF", values.tobytes())
    dataset.BitsAllocated = 32
    dataset.save_as(path)
    image = read(path)
    assert (image.pixels.dtype, image.value_range) == (np.float32, (-3, 7))
    np.testing.assert_array_equal(image.valid, np.isfinite(values))


@pytest.mark.parametrize(
    ("tags", "missing"),
    [({"FloatPixelPaddingValue": -2000.5}, [-2000.5]), ({"FloatPixelPaddingValue": -2000.5, "FloatPixelPaddingRangeLimit": -1500.0},
      [-2000.5, -1600]),
     ({}, [])],
)  # fmt: skip
def test_padding_declared_in_float_is_padding(make_dicom, tags: dict[str, float], missing: list[float]) -> None:
    dataset = pydicom.dcmread(path := make_dicom(np.zeros((2, 2), np.uint16)))
    del dataset.PixelData
    values = np.array([[0.5, -2000.5], [-1600, 7]], np.float32)
    dataset.add_new("FloatPixelData", "OF", values.tobytes())
    dataset.BitsAllocated = 32
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    image = read(path)
    left = values[~np.isin(values, np.array(missing, np.float32))]
    assert image.value_range == (left.min(), left.max())
    assert int((~image.valid).sum() if image.valid is not None else 0) == len(missing)


@pytest.mark.parametrize("text", [b"-1024,0", b"-1024.0 ", b"-1,024E3"])
def test_decimal_commas_are_points(make_dicom, text: bytes) -> None:
    path = make_dicom(RAMP[:8, :8], RescaleSlope="1", RescaleIntercept="-1024.0")
    data = path.read_bytes()
    assert data.count(b"-1024.0 ") == 1
    path.write_bytes(data.replace(b"-1024.0 ", text.ljust(8)))
    assert read(path).pixels.min() == -1024


def test_a_compressed_stream_under_a_native_syntax_is_refused(make_dicom) -> None:
    path = make_dicom(np.zeros((8, 8), np.uint8))
    dataset = pydicom.dcmread(path)
    item = b"\xfe\xff\x00\xe0"
    dataset.PixelData = item + bytes(4) + item + (88).to_bytes(4, "little") + b"\xff\xd8" + bytes(86)
    dataset.save_as(path)
    with pytest.raises(ReadError, match="is a compressed stream, but its header says"):
        read(path)
