// Thumbnails of cases that stand in a list, from the sketches of the scan.

import { ask, make } from "./frame.js";

const SIDE = 32, BYTES = SIDE * SIDE, AT_ONCE = 500;

/** Draw the bytes of a sketch. */
export function paint(canvas, grey) {
  const context = canvas.getContext("2d"), image = context.createImageData(SIDE, SIDE), out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < BYTES; i++) out[i] = 0xff000000 | grey[i] * 0x010101;
  context.putImageData(image, 0, 0);
}

export const sketch = row => make("canvas.sketch", { width: SIDE, height: SIDE, "data-row": row, "aria-hidden": "true" });

/** Fill in all sketches below an element. */
export async function fill(element, address) {
  const canvases = [...element.querySelectorAll("canvas.sketch")];
  for (let from = 0; from < canvases.length; from += AT_ONCE) {
    const some = canvases.slice(from, from + AT_ONCE);
    const bytes = new Uint8Array(await (await ask(`${address}?rows=${some.map(each => each.dataset.row).join()}`)).arrayBuffer());
    some.forEach((canvas, k) => paint(canvas, bytes.subarray(k * BYTES, (k + 1) * BYTES)));
  }
}
