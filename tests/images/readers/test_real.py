"""Real files: what is read of them, against pydicom's own decoding; skipped where they are absent."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2K, HTJ2KLossless

from evenray.core.errors import ReadError
from evenray.images.readers import fragments, read
from evenray.images.readers._source import Source
from evenray.images.readers.dicom_parse import parse, quiet
from evenray.images.readers.dicom_pixels import Layout, decode

# Its header says unsigned and its stream signed; pydicom's plug-ins give 63488 or 30720 for the air around the patient.
CONTRADICTORY = {"TOSHIBA_J2K_SIZ1_PixRep0.dcm"}


def stored_values(path: Path) -> np.ndarray:
    with quiet():
        dataset = parse(Source.of(path))
        layout = Layout.of(dataset, str(path))
        frames = [decode(dataset, layout, index, str(path)) for index in range(layout.frames)]
    return np.stack(frames) if len(frames) > 1 else frames[0]


def test_every_readable_dicom_file_reads_as_pydicom_decodes_it(evenray_data: Path) -> None:
    paths = sorted((evenray_data / "dicom" / "codecs").rglob("*.dcm"))
    assert len(paths) == 80
    refused, compared = {}, 0
    for path in paths:
        large = path.stat().st_size > 1_000_000
        try:
            names = fragments(path)
            looked_at = sorted({names[0], names[len(names) // 2], names[-1]}) if large else names
            images = [read(path, fragment=name) for name in looked_at]
        except ReadError as error:
            refused[path.name] = error.reason
            continue
        assert all(image.shape == images[0].shape for image in images)
        if large or path.name in CONTRADICTORY:
            continue
        with quiet():
            try:
                reference = pydicom.dcmread(path).pixel_array
            except (RuntimeError, NotImplementedError):  # pydicom has no codec of its own for it
                continue
        np.testing.assert_array_equal(stored_values(path), reference, err_msg=path.name)
        compared += 1
    assert "damaged or incomplete" in refused.pop("966.dcm")
    assert not refused
    assert compared >= 60


def test_a_stream_that_says_signed_is_signed(evenray_data: Path) -> None:
    folder = evenray_data / "dicom" / "codecs" / "ds" / "JPEG2000Lossless"
    one, other = (read(folder / name) for name in ("TOSHIBA_J2K_SIZ1_PixRep0.dcm", "TOSHIBA_J2K_SIZ0_PixRep1.dcm"))
    assert one.pixels[0, 0] == other.pixels[0, 0] == -2048  # outside the scanner's circle
    assert one.value_range == other.value_range == (-1000, 1699)


def test_nothing_leaks_while_reading_them(evenray_data: Path, capfd) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in sorted((evenray_data / "dicom" / "codecs").rglob("*.dcm")):
            if path.stat().st_size < 100_000:
                try:
                    read(path)
                except ReadError:
                    continue
    assert "".join(capfd.readouterr()) == ""


def test_the_polarity_pair_are_each_others_negative(evenray_data: Path) -> None:
    folder = evenray_data / "dicom" / "polarity"
    plain = read(next(folder.glob("1.2.276*.dcm")))
    fake = read(folder / "Fake_MONOHR1.dcm")
    assert (plain.header["photometric_in_file"], fake.header["photometric_in_file"]) == ("MONOCHROME2", "MONOCHROME1")
    np.testing.assert_array_equal(plain.pixels, 255 - fake.pixels)
    assert plain.value_range == fake.value_range == (0, 255)
    # Lungs are darker than the mediastinum between them only in the true one.
    lung, middle = plain.pixels[400:600, 250:350].mean(), plain.pixels[400:600, 480:540].mean()
    assert lung < middle


@pytest.mark.parametrize("pattern", ["chest-xray-full/*/*", "breast-ultrasound-256/*/*", "chest-xray-224/test/*/*"])
def test_pictures_read_as_opencv_decodes_them(evenray_data: Path, pattern: str) -> None:
    paths = sorted(evenray_data.glob(pattern))
    assert paths
    for path in paths[:: max(1, len(paths) // 20)]:
        image = read(path)
        reference = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image.channels == 1 and reference.ndim == 3:
            assert (reference == reference[..., :1]).all()
            reference = reference[..., 0]
        np.testing.assert_array_equal(image.pixels, reference if reference.ndim == 2 else reference[..., ::-1])
        assert image.value_range == (0, 255)


@pytest.mark.parametrize("name", ["pneumoniamnist", "breastmnist"])
def test_medmnist(evenray_data: Path, name: str) -> None:
    path = evenray_data / "medmnist" / f"{name}.npz"
    with np.load(path) as archive:
        for part in ("train", "val", "test"):
            arrays = archive[f"{part}_images"]
            names = [fragment for fragment in fragments(path) if fragment.startswith(f"{part}/")]
            assert len(names) == len(arrays)
            np.testing.assert_array_equal(read(path, fragment=names[-1]).pixels, arrays[-1])


def test_high_throughput_jpeg_2000(evenray_data: Path, make_dicom) -> None:
    folder = evenray_data / "dicom" / "codecs" / "jpg" / "15444" / "HTJ2K"
    images = []
    for name, syntax in (("Bretagne1_ht.j2k", HTJ2KLossless), ("Bretagne1_ht_lossy.j2k", HTJ2K)):
        path = make_dicom(np.zeros((480, 640, 3), np.uint8))
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = encapsulate([(folder / name).read_bytes()])
        dataset["PixelData"].is_undefined_length = True
        dataset.save_as(path)
        images.append(read(path).pixels.astype(int))
    assert 0 < np.abs(images[0] - images[1]).mean() < 3
    assert images[0].std() > 20
