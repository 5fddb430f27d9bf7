"""Mutated files of every format: each has to end as an Image or a ReadError, soon, in bounded memory.

`python tools/fuzz_readers.py --cases 20000 --seed 1` prints one line of JSON; tests/images/readers/test_fuzz.py runs a few
hundred cases of it. A file that ends its process, takes too long or too much memory is `lost`; what raises anything but a
ReadError, or cannot be copied, is a fault. --keep keeps the files of both.
"""

from __future__ import annotations

import argparse
import collections
import functools
import gzip
import io
import json
import resource
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pydicom
from PIL import Image as Pillow
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from evenray.core.errors import ReadError
from evenray.core.lost import Lost
from evenray.core.types import Image
from evenray.images import readers
from evenray.scale import isolated
from evenray.verbs._copies import CopyJob, copy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "images" / "readers"))
from conftest import dicom_bytes, dicom_dataset  # the makers of small files that the tests use

RNG = np.random.default_rng(23)
SMOOTH8 = cv2.GaussianBlur(RNG.integers(0, 256, (40, 48), np.uint8), (7, 7), 0)
SMOOTH16 = SMOOTH8.astype(np.uint16) * 16
COLOUR8 = np.dstack([SMOOTH8, SMOOTH8[::-1], 255 - SMOOTH8])
EDGES = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def dicom_corpus() -> dict[str, bytes]:
    """DICOM files of each kind of encoding and of every attribute that changes how pixels are understood."""
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4096, 0, 12])
    table.add_new("LUTData", "US", list(range(4096)))
    plain = {
        "BitsStored": 12,
        "WindowCenter": "2000",
        "WindowWidth": "1000",
        "RescaleSlope": "2",
        "RescaleIntercept": "-9",
    }
    plain |= {"PixelSpacing": ["0.1", "0.2"], "PixelPaddingValue": 3, "PixelPaddingRangeLimit": 9, "Modality": "CT"}
    made = {
        "explicit": dicom_dataset(SMOOTH16, **plain),
        "implicit": dicom_dataset(SMOOTH16, TransferSyntaxUID=ImplicitVRLittleEndian, **plain),
        "big": dicom_dataset(SMOOTH16, TransferSyntaxUID=ExplicitVRBigEndian, BitsStored=12),
        "deflated": dicom_dataset(SMOOTH16, TransferSyntaxUID=DeflatedExplicitVRLittleEndian, BitsStored=12),
        "lut": dicom_dataset(SMOOTH16, BitsStored=12, VOILUTSequence=[table], ModalityLUTSequence=[table]),
        "colour": dicom_dataset(COLOUR8),
        "ybr": dicom_dataset(COLOUR8, PhotometricInterpretation="YBR_FULL"),
        "frames": dicom_dataset(np.stack([SMOOTH8] * 3), NumberOfFrames=3, PhotometricInterpretation="MONOCHROME1"),
    }
    for name in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        group, inner = Dataset(), Dataset()
        inner.RescaleSlope, inner.RescaleIntercept = 1, 5
        group.PixelValueTransformationSequence = [inner]
        setattr(made["frames"], name, [group] * 3)
        made["frames"][name].is_undefined_length = True
    palette = dicom_dataset(SMOOTH8, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        palette.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, 8])
        palette.add_new(f"{colour}PaletteColorLookupTableData", "OW", bytes(range(256)))
    files = {name: dicom_bytes(dataset) for name, dataset in (made | {"palette": palette}).items()}
    for name, (syntax, frame) in dicom_frames().items():
        pixels = COLOUR8 if "colour" in name else SMOOTH16 if "16" in name else SMOOTH8
        dataset = dicom_dataset(pixels, PhotometricInterpretation="YBR_FULL" if "colour" in name else "MONOCHROME2")
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].is_undefined_length = True
        dataset["PixelData"].VR = "OB"
        files[name] = dicom_bytes(dataset)
    for syntax in (RLELossless, JPEGLSLossless):
        dataset = pydicom.dcmread(io.BytesIO(files["explicit"]))
        dataset.compress(syntax)
        files[syntax.keyword] = dicom_bytes(dataset)
    return files


def dicom_frames() -> dict[str, tuple[UID, bytes]]:
    """Frames by syntax; lossless JPEG needs imagecodecs, without which it is left out."""
    from openjpeg.utils import encode_array

    frames = {
        "jpeg": (JPEGBaseline8Bit, cv2.imencode(".jpg", SMOOTH8)[1].tobytes()),
        "jpeg colour": (JPEGBaseline8Bit, cv2.imencode(".jpg", COLOUR8)[1].tobytes()),
        "j2k 16": (JPEG2000Lossless, bytes(encode_array(SMOOTH16, bits_stored=12))),
        "j2k": (JPEG2000Lossless, bytes(encode_array(SMOOTH8))),
    }
    try:
        import imagecodecs
    except ImportError:
        return frames
    lossless = imagecodecs.ljpeg_encode(SMOOTH16, bitspersample=12)
    return frames | {"lossless 16": (JPEGLosslessSV1, bytes(lossless))}


def corpus() -> dict[str, dict[str, bytes]]:
    """Small sound files: format -> name -> bytes."""
    pictures: dict[str, bytes] = {}
    for kind in ("png", "tiff", "bmp", "pgm"):
        for name, pixels in (("8", SMOOTH8), ("16", SMOOTH16), ("colour", COLOUR8)):
            if (kind, name) not in (("bmp", "16"), ("pgm", "colour")):
                pictures[f"{kind} {name}"] = cv2.imencode(f".{kind}", pixels)[1].tobytes()
    for name, kind, picture, options in (
        ("jpeg", "JPEG", Pillow.fromarray(SMOOTH8), {}),
        ("jpeg progressive", "JPEG", Pillow.fromarray(COLOUR8), {"progressive": True}),
        ("png palette", "PNG", Pillow.fromarray(COLOUR8).convert("P"), {"transparency": 3}),
        ("png alpha", "PNG", Pillow.fromarray(np.dstack([COLOUR8, SMOOTH8])), {}),
        ("tiff deflate", "TIFF", Pillow.fromarray(SMOOTH16), {"compression": "tiff_adobe_deflate"}),
        ("tiff jpeg", "TIFF", Pillow.fromarray(COLOUR8), {"compression": "jpeg"}),
        ("tiff float", "TIFF", Pillow.fromarray(SMOOTH8.astype(np.float32)), {}),
        ("tiff fax", "TIFF", Pillow.fromarray(SMOOTH8 > 99), {"compression": "group4"}),
        ("tiff pages", "TIFF", Pillow.fromarray(SMOOTH8),
         {"save_all": True, "append_images": [Pillow.fromarray(SMOOTH16)]}),
    ):  # fmt: skip
        buffer = io.BytesIO()
        picture.save(buffer, kind, **options)
        pictures[name] = buffer.getvalue()
    by_kind: dict[str, dict[str, bytes]] = {"dicom": dicom_corpus()}
    for name, data in pictures.items():
        by_kind.setdefault(name.split()[0], {})[name] = data
    volume = np.stack([SMOOTH16.astype(np.int16)] * 4, axis=2)
    shear = np.array([[-1, 0.1, 0, 3], [0, -1, 0, 2], [0, 0.2, 2, 1], [0, 0, 0, 1.0]])
    volumes = {
        "int16": volume,
        "float": volume.astype(np.float32),
        "four": np.stack([volume.astype(np.uint8)] * 2, axis=3),
    }
    by_kind["nifti"] = {name: nib.Nifti1Image(voxels, shear).to_bytes() for name, voxels in volumes.items()}
    by_kind["nifti"]["two"] = nib.Nifti2Image(volume, shear).to_bytes()
    by_kind["npz"] = {}
    for name, save in (("stored", np.savez), ("compressed", np.savez_compressed)):
        buffer = io.BytesIO()
        save(buffer, train_images=np.stack([SMOOTH8] * 4), train_labels=np.zeros((4, 1)), val_images=COLOUR8[None])
        by_kind["npz"][name] = buffer.getvalue()
    return by_kind


def mutated(data: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """One to four changes: bits, bytes, numbers at the edges of their types, cuts, copies, splices."""
    body = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        if not body:
            break
        top = min(len(body), 700) if rng.random() < 0.6 else len(body)  # headers decide most
        at = int(rng.integers(0, top))
        length = int(rng.integers(1, 65))
        match int(rng.integers(0, 8)):
            case 0:
                body[at] ^= 1 << int(rng.integers(0, 8))
            case 1:
                body[at] = int(rng.integers(0, 256))
            case 2 | 3:
                size, order = int(rng.choice([1, 2, 4])), str(rng.choice(["little", "big"]))
                body[at : at + size] = (int(rng.choice(EDGES)) % 256**size).to_bytes(size, order)
            case 4:
                del body[at : at + length]
            case 5:
                body[at:at] = body[at : at + length] * int(rng.integers(1, 4))
            case 6:
                other = others[int(rng.integers(0, len(others)))]
                start = int(rng.integers(0, max(1, len(other))))
                body[at : at + length] = other[start : start + length]
            case 7:
                if rng.random() < 0.3:
                    del body[int(rng.integers(0, len(body))) :]
                else:
                    body[at : at + length] = rng.integers(0, 256, length, np.uint8).tobytes()
    return bytes(body)


def with_png_checksums(data: bytes) -> bytes:
    """The chunks of a mutated PNG with their checksums put right, so that the decoder behind them is reached."""
    out, at = bytearray(data[:8]), 8
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunk = data[at + 4 : at + 8 + min(length, len(data))]
        out += data[at : at + 4] + chunk + struct.pack(">I", zlib.crc32(chunk))
        at += 12 + length
    return bytes(out)


def inside_npz(data: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """An archive whose members are mutated while the archive itself stays sound."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            member = old.read(name)
            new.writestr(name, mutated(member, rng, others) if rng.random() < 0.6 else member)
    return buffer.getvalue()


def mutant(kind: str, data: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    if kind == "npz" and rng.random() < 0.6:
        return inside_npz(data, rng, others)
    changed = mutated(data, rng, others)
    if kind == "png" and rng.random() < 0.7:
        return with_png_checksums(changed)
    if kind == "nifti" and rng.random() < 0.4:
        zipped = gzip.compress(changed, 1, mtime=0)
        return mutated(zipped, rng, others) if rng.random() < 0.3 else zipped
    return changed


def outcome(path: Path) -> str:
    """Read all that a scan reads of a file; "image", or the kind of refusal. Anything else is a fault."""
    try:
        readers.sniff(path)
        names = readers.fragments(path)
        readers.identity(path)
        for name in {"", *names[:1], *names[-1:]}:
            image = readers.read(path, fragment=name)
            if not isinstance(image, Image) or len(image.sha256) != 64 or not np.isfinite(image.pixels).all():
                return "fault: not a whole Image"
        return "image"
    except ReadError as error:
        if str(path) not in str(error) or "\n" in error.reason:
            return f"fault: {error}"
        for part in ("is damaged: the", "limit", "memory"):  # which net caught it
            if part in error.reason:
                return f"ReadError ({part})"
        return "ReadError (named)"


@functools.cache
def files(kinds: tuple[str, ...]) -> dict[str, dict[str, bytes]]:
    return {kind: found for kind, found in corpus().items() if not kinds or kind in kinds}


def one(number: int, seed: int, kinds: tuple[str, ...], keep: Path | None) -> tuple[str, str, float, int]:
    """Read one mutant, and copy what is an image: what it is, how it ended, seconds, and the memory of this process."""
    rng, sound_files = np.random.default_rng([seed, number]), files(kinds)
    kind = list(sound_files)[number % len(sound_files)]
    name = list(sound_files[kind])[int(rng.integers(0, len(sound_files[kind])))]
    data = mutant(kind, sound_files[kind][name], rng, list(sound_files[kind].values()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source"
        path.write_bytes(data)
        if keep:
            (keep / f"{seed}_{number}").write_bytes(data)
        began = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                end = outcome(path)
            except Exception as error:
                end = "fault: " + "".join(traceback.format_exception(error))[-1500:]
        seconds = time.process_time() - began
        if end == "image":
            copied = copy(path, Path(folder) / "copy", CopyJob("equalize"))
            if copied.reason.startswith("its copy cannot be written"):
                end = f"fault: {copied.reason}"
        if keep and not end.startswith("fault"):
            (keep / f"{seed}_{number}").unlink()
    return f"{kind} {name}", end, seconds, peak_mb()


def run(cases: int, seed: int, kinds: tuple[str, ...], keep: Path | None, jobs: int) -> dict[str, object]:
    """Read `cases` mutants in `jobs` processes; how each ended, the slowest, and the faults with what makes them again."""
    import fuzz_readers  # what the processes find by its name

    counts: dict[str, collections.Counter[str]] = {kind: collections.Counter() for kind in files(kinds)}
    faults: list[str] = []
    lost: list[str] = []
    slowest, most = (0.0, ""), 0
    work = functools.partial(fuzz_readers.one, seed=seed, kinds=kinds, keep=keep)
    for number, found in enumerate(isolated(jobs)(work, range(cases))):
        if isinstance(found, Lost):
            kind = list(counts)[number % len(counts)]
            lost.append(f"{seed}/{number} {kind}: {found.reason}")
            counts[kind]["lost"] += 1
            continue
        name, end, seconds, memory = found
        case = f"{seed}/{number} {name}"
        if end.startswith("fault"):
            faults.append(f"{case}: {end}")
            end = "fault"
        counts[name.split()[0]][end] += 1
        slowest, most = max(slowest, (round(seconds, 2), case)), max(most, memory)
    return {"outcomes": counts, "faults": faults, "lost": lost, "slowest": slowest, "peak_mb": most}


def peak_mb() -> int:
    """The most memory that this process held. Linux's ru_maxrss begins with that of the parent, VmHWM does not."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def sound(make: Callable[[], dict[str, dict[str, bytes]]] = corpus) -> list[str]:
    """The names of unmutated files that are not read as images: there should be none."""
    with tempfile.TemporaryDirectory() as folder:
        bad = []
        for kind, files in make().items():
            for number, (name, data) in enumerate(files.items()):
                path = Path(folder) / f"{kind}{number}"
                path.write_bytes(data)
                if (end := outcome(path)) != "image":
                    bad.append(f"{kind} {name}: {end}")
        return bad


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the files that end in a fault, or end their process")
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bad = sound()
    found = run(options.cases, options.seed, tuple(options.kinds), options.keep, options.jobs)
    sys.stdout.write(json.dumps(found | {"unread": bad}) + "\n")


if __name__ == "__main__":
    main()
