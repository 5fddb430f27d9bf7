"""Public collections with masks or boxes, drawn small with their true folders, names and formats."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import nibabel
import numpy as np

from .drawn import SHAPE, N, Truth, binary, boxes, boxes_of, image, mask_of, masks, write

__all__: list[str] = []

H, W = SHAPE


def objects(n: int, count: int) -> np.ndarray:
    """Numbers of objects, from 1."""
    found = np.zeros(SHAPE, np.int32)
    for k in range(count):
        found[1 + 5 * (k // 5) : 5 + 5 * (k // 5), 1 + 6 * (k % 5) : 5 + 6 * (k % 5) + n % 2] = k + 1
    return found


def ring(mask: np.ndarray) -> list[list[float]]:
    """The outline of a rectangle's pixels, along their corners."""
    ys, xs = np.nonzero(mask)
    x0, y0, x1, y1 = (float(v) for v in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def block(n: int) -> np.ndarray:
    return (mask_of(n) == 2).astype(np.uint8)


@masks
def montgomery(root: Path) -> Truth:
    """Left and right lungs in two folders."""
    found = {}
    for n in range(N):
        name = f"MCUCXR_{n:04}_{n % 2}.png"
        image(root / "MontgomerySet" / "CXR_png" / name, n)
        for k, side in enumerate(("leftMask", "rightMask")):
            write(root / "MontgomerySet" / "ManualMask" / side / name, (mask_of(n) == k + 1).astype(np.uint8) * 255)
        found[f"MontgomerySet/CXR_png/{name}"] = (mask_of(n) > 0).astype(np.uint8)
    return Truth(("foreground",), found, options={"task": "segment"})  # the names tell healthy from sick


@masks
def scr(root: Path) -> Truth:
    """An organ a folder, in two folds, and images elsewhere."""
    found = {}
    for n in range(N):
        image(root / "images" / f"JPCLN{n:03}.png", n)
        for k, name in enumerate(("heart", "left lung")):
            folder = root / "scratch" / f"fold{1 + n % 2}" / "masks" / name
            write(folder / f"JPCLN{n:03}.gif", (mask_of(n) == k + 1).astype(np.uint8) * 255)
        found[f"images/JPCLN{n:03}.png"] = mask_of(n)
    return Truth(("heart", "left lung"), found, options={"task": "segment"})


@masks
def one_within_another(root: Path) -> Truth:
    """As COVID-QU-Ex has infections in lungs: both folders say `masks`, and the infection lies within the lung."""
    found = {}
    for n in range(N):
        base = root / "Infection Data" / ("Train" if n % 2 else "Test")
        image(base / "images" / f"c{n}.png", n)
        inner = np.zeros(SHAPE, np.uint8)
        inner[6:9, 6:9] = 1
        write(base / "lung masks" / f"c{n}.png", (mask_of(n) == 1).astype(np.uint8) * 255)
        write(base / "infection masks" / f"c{n}.png", inner * 255)
        found[f"Infection Data/{base.name}/images/c{n}.png"] = np.where(inner, 1, 2 * (mask_of(n) == 1)).astype(
            np.uint8
        )
    return Truth(("infection", "lung"), found)


@masks
def tn3k(root: Path) -> Truth:
    """The same names in both parts, and twin folders beside each other."""
    found = {}
    for part in ("trainval", "test"):
        for n in range(4):
            number = n + 4 * (part == "test")
            image(root / f"{part}-image" / f"{n:04}.png", number)
            write(root / f"{part}-mask" / f"{n:04}.png", binary(number) * 255)
            found[f"{part}-image/{n:04}.png"] = binary(number)
    return Truth(("foreground",), found)


@masks
def kvasir(root: Path) -> Truth:
    """All below a folder that is called as one of masks."""
    for n in range(N):
        image(root / "Kvasir-SEG" / "images" / f"cju{n}.png", n)
        write(root / "Kvasir-SEG" / "masks" / f"cju{n}.png", binary(n) * 255)
    return Truth(("foreground",), {f"Kvasir-SEG/images/cju{n}.png": binary(n) for n in range(N)})


@masks
def drive(root: Path) -> Truth:
    """Vessels and fields of view, numbered as the images and called otherwise; a second reader in one part."""
    found = {}
    for part, start in (("training", 21), ("test", 1)):
        for n in range(start, start + 4):
            folder = root / "DRIVE" / part
            image(folder / "images" / f"{n:02}_{part}.tif", n)
            write(folder / "1st_manual" / f"{n:02}_manual1.gif", binary(n) * 255)
            write(folder / "mask" / f"{n:02}_{part}_mask.gif", np.full(SHAPE, 255, np.uint8))
            if part == "test":
                write(folder / "2nd_manual" / f"{n:02}_manual2.gif", binary(n + 1) * 255)
            found[f"DRIVE/{part}/images/{n:02}_{part}.tif"] = binary(n)
    return Truth(("foreground",), found)


@masks
def labels_and_fields(root: Path) -> Truth:
    """A retinal set whose vessels and fields of view are told by their folders alone; of one image the vessels are kept back."""
    found = {}
    for n in range(N):
        image(root / "images" / f"{n:02}.png", n)
        write(root / "mask" / f"{n:02}.png", np.full(SHAPE, 255, np.uint8))
        if n:
            write(root / "label" / f"{n:02}.png", binary(n) * 255)
            found[f"images/{n:02}.png"] = binary(n)
    return Truth(("foreground",), found)


@masks
def idrid(root: Path) -> Truth:
    """A folder a lesion, called with its letters, not all of each image; all below `A. Segmentation`."""
    found = {}
    top = root / "A. Segmentation"
    for n in range(1, 9):
        part = "a. Training Set" if n < 6 else "b. Testing Set"
        image(top / "1. Original Images" / part / f"IDRiD_{n:02}.jpg", n)
        own = mask_of(n) * np.uint8(n % 3 > 0) if n % 2 else mask_of(n)
        for k, (name, letters) in enumerate((("1. Microaneurysms", "MA"), ("5. Optic Disc", "OD"))):
            if k == 0 or n % 3:
                picture = (own == k + 1).astype(np.uint8) * 76
                write(top / "2. All Segmentation Groundtruths" / part / name / f"IDRiD_{n:02}_{letters}.tif", picture)
        found[f"A. Segmentation/1. Original Images/{part}/IDRiD_{n:02}.jpg"] = own * (own != 2) + 2 * (own == 2) * (
            n % 3 > 0
        )
    return Truth(("microaneurysms ma", "optic disc od"), found, options={"task": "segment"})


@masks
def isic2018(root: Path) -> Truth:
    """Folders of parts with the part in the middle of their names."""
    found = {}
    for n in range(8):
        part = "Training" if n < 5 else "Validation"
        folder = f"ISIC2018_Task1-2_{part}_Input"
        image(root / folder / f"ISIC_{n:07}.jpg", n)
        write(root / f"ISIC2018_Task1_{part}_GroundTruth" / f"ISIC_{n:07}_segmentation.png", binary(n) * 255)
        found[f"{folder}/ISIC_{n:07}.jpg"] = binary(n)
    return Truth(("foreground",), found)


@masks
def ph2(root: Path) -> Truth:
    """A folder a case and below it one a kind of mask, of which a pattern names the one that is meant."""
    found = {}
    for n in range(N):
        name = f"IMD{n:03}"
        image(root / name / f"{name}_Dermoscopic_Image" / f"{name}.bmp", n)
        write(root / name / f"{name}_lesion" / f"{name}_lesion.bmp", binary(n).astype(bool))
        write(root / name / f"{name}_roi" / f"{name}_R1_Label4.bmp", block(n).astype(bool))
        found[f"{name}/{name}_Dermoscopic_Image/{name}.bmp"] = binary(n)
    return Truth(("foreground",), found, options={"pattern": "*_lesion.bmp"})


@masks
def brats(root: Path) -> Truth:
    """Four sequences and one mask: that of the first."""
    found = {}
    for n in range(2):
        name = f"BraTS20_Training_{n:03}"
        volume = np.stack([mask_of(n + k).T for k in range(2)], axis=2)
        (root / name).mkdir()
        for k, kind in enumerate(("flair", "t1", "seg")):
            values = (
                volume if kind == "seg" else np.random.default_rng(k).integers(0, 900, volume.shape).astype(np.int16)
            )
            nibabel.save(nibabel.Nifti1Image(values, np.diag([-1.0, -1, 1, 1])), root / name / f"{name}_{kind}.nii.gz")
        found |= {f"{name}/{name}_flair.nii.gz#{k}": mask_of(n + k) for k in range(2)}
    return Truth(("1", "2"), found, options={"task": "segment"}, frames=2)


@masks
def several_volumes(root: Path) -> Truth:
    """As MSD's brain tumours: four sequences in one file, of which the middle one is read, and one mask; numbers called so in LiTS."""
    found = {}
    for n in range(3):
        volume = np.stack([mask_of(n + k).T for k in range(2)], axis=2)
        values = np.random.default_rng(n).integers(0, 900, (*volume.shape, 3)).astype(np.int16)
        for name, pixels in ((f"volume-{n}", values), (f"segmentation-{n}", volume)):
            nibabel.save(nibabel.Nifti1Image(pixels, np.diag([-1.0, -1, 1, 1])), root / f"{name}.nii")
        found |= {f"volume-{n}.nii#{k},volume=1": mask_of(n + k) for k in range(2)}
    return Truth(("1", "2"), found, frames=2)


@masks
def numbers_of_objects(root: Path) -> Truth:
    """Label images beside `_img`, numbers with gaps; a folder of pictures with outlines drawn over is no folder of images."""
    found = {}
    for n in range(N):
        numbers = np.concatenate([[0], np.random.default_rng(n).permutation(600)[:20] + 1])
        image(root / f"{n:03}_img.png", n)
        image(root / "overlay" / f"{n:03}_img.png", n)
        write(root / f"{n:03}_masks.png", numbers[objects(n, 12 + n)].astype(np.uint16))
        found[f"{n:03}_img.png"] = (objects(n, 12 + n) > 0).astype(np.uint8)
    return Truth(("foreground",), found)


@masks
def numbers_in_red(root: Path) -> Truth:
    """As BBBC039 has them, few and without gaps."""
    found = {}
    for n in range(N):
        image(root / "images" / f"IXM_A{n:02}.tif", n)
        pixels = np.zeros((*SHAPE, 4), np.uint8)
        pixels[..., 0], pixels[..., 3] = objects(n, 8 + n), 255
        write(root / "masks" / f"IXM_A{n:02}.png", pixels)
        found[f"images/IXM_A{n:02}.tif"] = (objects(n, 8 + n) > 0).astype(np.uint8)
    return Truth(("foreground",), found)


@masks
def white_around(root: Path) -> Truth:
    """As REFUGE has it: the cup black, the disc grey, the rest white."""
    for n in range(N):
        image(root / "images" / f"g{n}.jpg", n)
        write(root / "Disc_Cup_Masks" / f"g{n}.bmp", np.array([255, 0, 128], np.uint8)[mask_of(n)])
    order = np.array([0, 2, 1], np.uint8)
    return Truth(("128", "0"), {f"images/g{n}.jpg": order[mask_of(n)] for n in range(N)})


@masks
def named_colours(root: Path) -> Truth:
    """As CamVid comes: folders of parts, `_L`, and a table of colours."""
    for n in range(N):
        image(root / "train" / f"0001TP_{n:06}.png", n)
        write(
            root / "train_labels" / f"0001TP_{n:06}_L.png",
            np.array([[0, 0, 0], [64, 128, 64], [192, 0, 128]], np.uint8)[mask_of(n)],
        )
    (root / "class_dict.csv").write_text("name,r,g,b\nCell Wall,64,128,64\nNucleus,192,0,128\nVoid,0,0,0\n")
    return Truth(
        ("Cell Wall", "Nucleus"),
        {f"train/0001TP_{n:06}.png": mask_of(n) for n in range(N)},
        options={"task": "segment"},
    )


def outlined(root: Path, classes: tuple[str, ...] = ("cell",), folder: str = "images") -> Truth:
    for n in range(N):
        image(root / folder / f"p{n}.png", n)
    return Truth(classes, {f"{folder}/p{n}.png": block(n) for n in range(N)}, options={"task": "segment"})


@masks
def labelme(root: Path) -> Truth:
    for n in range(N):
        shapes = [
            {"label": "cell", "points": ring(block(n)), "shape_type": "polygon"},
            {"label": "frame", "points": [[1, 1], [5, 5]], "shape_type": "rectangle"},
        ]
        whole = {"version": "5.0", "shapes": shapes, "imagePath": f"p{n}.png", "imageHeight": H, "imageWidth": W}
        (root / "images").mkdir(exist_ok=True)
        (root / "images" / f"p{n}.json").write_text(json.dumps(whole))
    return outlined(root)


@masks
def via(root: Path) -> Truth:
    whole = {}
    for n in range(N):
        xs, ys = zip(*ring(block(n)), strict=True)
        where = {"name": "polygon", "all_points_x": xs, "all_points_y": ys}
        whole[f"p{n}.png123"] = {
            "filename": f"p{n}.png",
            "size": 123,
            "regions": [{"shape_attributes": where, "region_attributes": {"kind": "cell"}}],
        }
    (root / "via_region_data.json").write_text(json.dumps({"_via_settings": {}, "_via_img_metadata": whole}))
    return outlined(root)


@masks
def cvat(root: Path) -> Truth:
    """A polygon in one half, a mask in the other."""
    texts = []
    for n in range(N):
        (x0, y0), _, (x1, y1), _ = ring(block(n))
        polygon = f'<polygon label="cell" points="{";".join(f"{x},{y}" for x, y in ring(block(n)))}"/>'
        w, h = int(x1 - x0), int(y1 - y0)
        drawn = f'<mask label="cell" rle="0, {w * h}" left="{x0:g}" top="{y0:g}" width="{w}" height="{h}"/>'
        texts.append(f'<image id="{n}" name="p{n}.png" width="{W}" height="{H}">{drawn if n % 2 else polygon}</image>')
    (root / "annotations.xml").write_text(f"<annotations><version>1.1</version>{''.join(texts)}</annotations>")
    return outlined(root)


@masks
def label_studio(root: Path) -> Truth:
    tasks = []
    for n in range(N):
        points = [[100 * x / W, 100 * y / H] for x, y in ring(block(n))]
        result = {"type": "polygonlabels", "value": {"points": points, "polygonlabels": ["cell"]}}
        tasks.append({"data": {"image": f"/data/upload/1/0a1b2c3d-p{n}.png"}, "annotations": [{"result": [result]}]})
    (root / "project.json").write_text(json.dumps(tasks))
    return outlined(root)


@masks
def supervisely(root: Path) -> Truth:
    """A bitmap, and a polygon with a hole."""
    truth = outlined(root, folder="ds/img")
    for n in range(N):
        (x0, y0), *_ = ring(block(n))
        if n % 2:
            png = cv2.imencode(".png", block(n)[int(y0) :, int(x0) :] * 255)[1].tobytes()
            shape = {
                "geometryType": "bitmap",
                "bitmap": {"data": base64.b64encode(zlib.compress(png)).decode(), "origin": [int(x0), int(y0)]},
            }
        else:
            hole = [[x0 + 1, y0 + 1], [x0 + 3, y0 + 1], [x0 + 3, y0 + 2], [x0 + 1, y0 + 2]]
            shape = {"geometryType": "polygon", "points": {"exterior": ring(block(n)), "interior": [hole]}}
            truth.masks[f"ds/img/p{n}.png"][int(y0) + 1, int(x0) + 1 : int(x0) + 3] = 0
        (root / "ds" / "ann").mkdir(exist_ok=True)
        whole = {"tags": [], "size": {"height": H, "width": W}, "objects": [{"classTitle": "cell", **shape}]}
        (root / "ds" / "ann" / f"p{n}.png.json").write_text(json.dumps(whole))
    return truth


@masks
def darwin(root: Path) -> Truth:
    """In both versions, with a tag of the whole image."""
    for n in range(N):
        path = [{"x": x, "y": y} for x, y in ring(block(n))]
        size = {"width": W, "height": H}
        whole = (
            {"image": {**size, "filename": f"p{n}.png"}} if n % 2 else {"item": {"name": f"p{n}.png", "slots": [size]}}
        )
        polygon = {"path": path} if n % 2 else {"paths": [path]}
        (root / "annotations").mkdir(exist_ok=True)
        whole["annotations"] = [{"name": "COVID-19", "tag": {}}, {"name": "cell", "polygon": polygon}]  # type: ignore[assignment]
        (root / "annotations" / f"p{n}.json").write_text(json.dumps(whole))
    return outlined(root)


@masks
def slides(root: Path) -> Truth:
    """Aperio's regions, as MoNuSeg has them, and ASAP's."""
    for n in range(N):
        aperio = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in ring(block(n)))
        asap = "".join(f'<Coordinate Order="{k}" X="{x}" Y="{y}"/>' for k, (x, y) in enumerate(ring(block(n))))
        text = (
            f'<Annotations><Annotation Id="1" Name="cell"><Regions><Region><Vertices>{aperio}</Vertices></Region></Regions>'
            "</Annotation></Annotations>"
            if n % 2
            else '<ASAP_Annotations><Annotations><Annotation Type="Polygon" PartOfGroup="cell">'
            f"<Coordinates>{asap}</Coordinates></Annotation></Annotations></ASAP_Annotations>"
        )
        (root / "Annotations").mkdir(exist_ok=True)
        (root / "Annotations" / f"p{n}.xml").write_text(text)
    return outlined(root)


@masks
def yolo_outlines(root: Path) -> Truth:
    (root / "data.yaml").write_text("nc: 1\nnames: [cell]\n")
    for n in range(N):
        (root / "labels").mkdir(exist_ok=True)
        (root / "labels" / f"p{n}.txt").write_text(
            "0 " + " ".join(f"{x / W:.6f} {y / H:.6f}" for x, y in ring(block(n)))
        )
    return outlined(root)


def _named(names: list[str], classes: tuple[str, ...] = ("a", "b"), **more: object) -> Truth:
    return Truth(classes, boxes={name: boxes_of(n) for n, name in enumerate(names)}, **more)  # type: ignore[arg-type]


PARTS = ("train", "valid", "test")


@boxes
def roboflow_coco(root: Path) -> Truth:
    """A file a part, each with images of the same names."""
    names = []
    categories = [{"id": k, "name": name} for k, name in enumerate(("cells", "a", "b"))]
    for part in PARTS:
        whole: dict[str, list[object]] = {"images": [], "annotations": [], "categories": categories}  # type: ignore[dict-item]
        for n in range(2):
            image(root / part / f"p{n}.jpg", len(names))
            whole["images"].append({"id": n, "file_name": f"p{n}.jpg", "height": H, "width": W})
            for k, x0, y0, x1, y1 in boxes_of(len(names)):
                whole["annotations"].append(
                    {"image_id": n, "category_id": k + 1, "bbox": [x0, y0, x1 - x0, y1 - y0], "segmentation": []}
                )
            names.append(f"{part}/p{n}.jpg")
        (root / part / "_annotations.coco.json").write_text(json.dumps(whole))
    return _named(names)


@boxes
def roboflow_tables(root: Path) -> Truth:
    names = []
    for part in PARTS:
        lines = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
        for n in range(2):
            image(root / part / f"p{n}.jpg", len(names))
            lines += [f"p{n}.jpg,{W},{H},{'ab'[k]},{x0},{y0},{x1},{y1}" for k, x0, y0, x1, y1 in boxes_of(len(names))]
            names.append(f"{part}/p{n}.jpg")
        (root / part / "_annotations.csv").write_text("\n".join(lines))
    return replace(_named(names), options={"task": "detect"})  # a column of classes alone would label the images


def _pictures(root: Path, folder: str = "images") -> list[str]:
    for n in range(N):
        image(root / folder / f"p{n}.png", n)
    return [f"{folder}/p{n}.png" for n in range(N)]


@boxes
def midog(root: Path) -> Truth:
    """COCO in all but the boxes, which are two corners each."""
    whole: dict[str, list[object]] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
    }
    for n in range(N):
        whole["images"].append({"id": n, "file_name": f"p{n}.png", "height": H, "width": W})
        whole["annotations"] += [{"image_id": n, "category_id": k + 1, "bbox": four} for k, *four in boxes_of(n)]
    (root / "MIDOG.json").write_text(json.dumps(whole))
    return _named(_pictures(root))


@boxes
def deep_lesion(root: Path) -> Truth:
    """Corners of several boxes in one text, and names with their folder in front."""
    lines = ["File_name,Bounding_boxes"]
    for n in range(N):
        image(root / "Images_png" / f"{n:06}_01_01" / "109.png", n)
        lines.append(f'{n:06}_01_01_109.png,"{", ".join(str(v) for _, *four in boxes_of(n) for v in four)}"')
    (root / "DL_info.csv").write_text("\n".join(lines))
    truth = _named([f"Images_png/{n:06}_01_01/109.png" for n in range(N)], ("object",), options={"task": "detect"})
    truth.boxes = {name: [(0, *own[1:]) for own in each] for name, each in truth.boxes.items()}  # type: ignore[misc]
    return truth


@boxes
def three_readers(root: Path) -> Truth:
    """As VinDr has it: each drew a box about every object, and one of them something that no other saw."""
    lines = ["image_id,class_name,rad_id,x_min,y_min,x_max,y_max"]
    for n in range(N):
        for k, reader in enumerate(("R8", "R9", "R10")):
            rows = [
                f"p{n},{'ab'[kind]},{reader},{x0 + k - 1},{y0},{x1 + k - 1},{y1}"
                for kind, x0, y0, x1, y1 in boxes_of(n)
            ]
            lines += rows if n else [f"p0,No finding,{reader},,,,"]
        lines += [f"p{n},b,R9,22,1,28,5"] if n else []
    (root / "train.csv").write_text("\n".join(lines))
    truth = _named(_pictures(root), options={"task": "detect"})
    truth.boxes["images/p0.png"] = []
    return truth


@boxes
def labelme_boxes(root: Path) -> Truth:
    """Corners in any order."""
    names = _pictures(root)
    for n in range(N):
        shapes = [
            {"label": "ab"[k], "points": [[x1, y1], [x0, y0]], "shape_type": "rectangle"}
            for k, x0, y0, x1, y1 in boxes_of(n)
        ]
        (root / "images" / f"p{n}.json").write_text(
            json.dumps({"shapes": shapes, "imagePath": f"p{n}.png", "imageHeight": H, "imageWidth": W})
        )
    return _named(names)


@boxes
def cvat_boxes(root: Path) -> Truth:
    texts = []
    for n in range(N):
        drawn = "".join(
            f'<box label="{"ab"[k]}" xtl="{x0}" ytl="{y0}" xbr="{x1}" ybr="{y1}"/>' for k, x0, y0, x1, y1 in boxes_of(n)
        )
        texts.append(f'<image id="{n}" name="p{n}.png" width="{W}" height="{H}">{drawn}</image>')
    (root / "annotations.xml").write_text(f"<annotations><meta/>{''.join(texts)}</annotations>")
    return _named(_pictures(root))


@boxes
def label_studio_boxes(root: Path) -> Truth:
    tasks = []
    for n in range(N):
        results = [
            {"type": "rectanglelabels", "value": {"x": 100 * x0 / W, "y": 100 * y0 / H, "width": 100 * (x1 - x0) / W,
                                                  "height": 100 * (y1 - y0) / H, "rectanglelabels": ["ab"[k]]}}
            for k, x0, y0, x1, y1 in boxes_of(n)
        ]  # fmt: skip
        tasks.append({"data": {"image": f"/data/local-files/?d=scans/p{n}.png"}, "annotations": [{"result": results}]})
    (root / "project.json").write_text(json.dumps(tasks))
    return _named(_pictures(root), exact=False)


@boxes
def boxes_by_name(root: Path) -> Truth:
    """As Kvasir has them: an object by the name of its image."""
    whole = {}
    for n in range(N):
        listed = [
            {"label": "ab"[k], "xmin": x0, "ymin": y0, "xmax": x1, "ymax": y1} for k, x0, y0, x1, y1 in boxes_of(n)
        ]
        whole[f"p{n}"] = {"height": H, "width": W, "bbox": listed}
    (root / "bboxes.json").write_text(json.dumps(whole))
    return _named(_pictures(root))


@boxes
def boxes_of_lines(root: Path) -> Truth:
    """As Hugging Face has them: corner and sides in lists, an object a line."""
    lines = []
    for n in range(N):
        found = {
            "bbox": [[x0, y0, x1 - x0, y1 - y0] for _, x0, y0, x1, y1 in boxes_of(n)],
            "categories": [k for k, *_ in boxes_of(n)],
        }
        lines.append(json.dumps({"file_name": f"p{n}.png", "objects": found}))
    names = _pictures(root)
    (root / "images" / "metadata.jsonl").write_text("\n".join(lines))
    return _named(names, ("0", "1"))


@boxes
def kitti(root: Path) -> Truth:
    names = _pictures(root, "training/image_2")
    for n in range(N):
        (root / "training" / "label_2").mkdir(exist_ok=True)
        rows = [
            f"{'ab'[k]} 0.00 0 0.00 {x0:.2f} {y0:.2f} {x1:.2f} {y1:.2f} 0 0 0 0 0 0 0"
            for k, x0, y0, x1, y1 in boxes_of(n)
        ]
        (root / "training" / "label_2" / f"p{n}.txt").write_text(
            "\n".join([*rows, "DontCare -1 -1 -10 1 1 5 5 -1 -1 -1 -1000 -1000 -1000 -10"])
        )
    truth = _named(names)
    for own in truth.boxes.values():  # of no class in particular, so of each
        own += [(-1, 1.0, 1.0, 5.0, 5.0), (-2, 1.0, 1.0, 5.0, 5.0)]
    return truth
