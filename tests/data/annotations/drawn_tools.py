"""Masks as tools for annotating save them besides as outlines: small pictures, what a brush drew, and what is cut out."""

from __future__ import annotations

import base64
import json
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from .drawn import N, Truth, masks
from .drawn_collections import H, W, block, outlined, ring

__all__ = ["packed"]


def packed(picture: np.ndarray, lengths: tuple[int, ...] = (3, 4, 8, 16)) -> list[int]:
    """The bytes (H, W, 4) of a picture as Label Studio's brush saves them, by the description of the format: equal values in a block
    of theirs, the others one after another in one block."""
    values = picture.ravel().tolist()
    blocks: list[tuple[bool, list[int]]] = []
    for _, group in groupby(values):
        own = list(group)
        if len(own) == 1 and blocks and not blocks[-1][0]:
            blocks[-1][1].extend(own)
        else:
            blocks.append((len(own) > 1, own))
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{length - 1:04b}" for length in lengths)
    longest = 2 ** lengths[-1]
    for same, whole in blocks:
        for at in range(0, len(whole), longest):
            own = whole[at : at + longest]
            which = next(k for k, length in enumerate(lengths) if len(own) <= 2**length)
            bits += f"{same:b}{which:02b}{len(own) - 1:0{lengths[which]}b}"
            bits += "".join(f"{value:08b}" for value in (own[:1] if same else own))
    bits += "0" * (-len(bits) % 8)
    return [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]


@masks
def labelme_masks(root: Path) -> Truth:
    """As its AI-Mask writes them: a PNG of 0 and 1 between two corners, the second of which belongs to it."""
    for n in range(N):
        (x0, y0), _, (x1, y1), _ = ring(block(n))
        part = np.ones((int(y1 - y0), int(x1 - x0)), np.uint8)
        part[0, : n % 3] = 0
        png = cv2.imencode(".png", part)[1].tobytes()
        shape = {
            "label": "cell", "points": [[x0, y0], [x1 - 1, y1 - 1]], "shape_type": "mask", "mask": base64.b64encode(png).decode(),
        }  # fmt: skip
        whole = {"version": "5.5.0", "shapes": [shape], "imagePath": f"p{n}.png", "imageHeight": H, "imageWidth": W}
        (root / "images").mkdir(exist_ok=True)
        (root / "images" / f"p{n}.json").write_text(json.dumps(whole))
    truth = outlined(root)
    for n, name in enumerate(truth.masks):
        (x0, y0), *_ = ring(block(n))
        truth.masks[name][int(y0), int(x0) : int(x0) + n % 3] = 0
    return truth


@masks
def label_studio_brush(root: Path) -> Truth:
    """Brush, bitmap and polygon; of the last image all that was drawn was wiped away again."""
    tasks = []
    for n in range(N):
        own = block(n) * (n < N - 1)
        png = cv2.imencode(".png", np.dstack([own * 0] * 3 + [own * 255]))[1].tobytes()
        points = [[100 * x / W, 100 * y / H] for x, y in ring(block(n))]
        kind, value = [
            ("brushlabels", {"format": "rle", "rle": packed(np.dstack([own * 200, own * 9, own * 90, own * 128]))}),
            ("bitmasklabels", {"imageDataURL": f"data:image/png;base64,{base64.b64encode(png).decode()}"}),
            ("polygonlabels", {"points": points}),
        ][n % 3 if n < N - 1 else 0]
        result = {"type": kind, "value": {**value, kind: ["cell"]}, "original_width": W, "original_height": H}
        tasks.append({"data": {"image": f"/data/upload/1/0a1b2c3d-p{n}.png"}, "annotations": [{"result": [result]}]})
    (root / "project.json").write_text(json.dumps(tasks))
    truth = outlined(root)
    truth.masks[f"images/p{N - 1}.png"][:] = 0
    return truth


@masks
def slides_with_holes(root: Path) -> Truth:
    """What Aperio's NegativeROA cuts out: a hole with an island, and a strip that reaches beyond the edge."""
    truth = outlined(root)
    for n, name in enumerate(truth.masks):
        mask = np.zeros((H, W), np.uint8)
        mask[2:16, 3:24], mask[4:12, 5:15], mask[6:9, 7:10], mask[:, 22:] = 1, 0, 1, 0
        mask[10:14, 14:16] = 0
        mask[n, 0:3] = 1
        truth.masks[name] = mask
        regions = [
            (0, 3, 2, 24, 16), (1, 5, 4, 15, 12), (0, 7, 6, 10, 9), (1, 22, 0, 28, 18), (1, 14, 10, 16, 14), (0, 0, n, 3, n + 1),
        ]  # fmt: skip
        text = "".join(
            f'<Region NegativeROA="{out}"><Vertices>'
            + "".join(f'<Vertex X="{x}" Y="{y}"/>' for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
            + "</Vertices></Region>"
            for out, x0, y0, x1, y1 in regions
        )
        (root / "images" / f"p{n}.xml").write_text(
            f'<Annotations><Annotation Id="1" Name="cell"><Regions>{text}</Regions></Annotation></Annotations>'
        )
    return truth
