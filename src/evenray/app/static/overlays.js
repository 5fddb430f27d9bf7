// What is drawn over an image: masks, boxes, and where a network looked.

import { colour } from "./frame.js";

// Inferno (van der Walt and Smith 2015) at eight places: in order for colour-blind readers and in print.
const INFERNO = [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]];

/** The colour of a value 0 to 1. */
export function heatColour(value) {
  const place = Math.min(0.9999, Math.max(0, value)) * (INFERNO.length - 1), k = Math.floor(place), part = place - k;
  return INFERNO[k].map((low, i) => Math.round(low + (INFERNO[k + 1][i] - low) * part));
}

const channels = text => text.match(/[\d.]+/g).slice(0, 3).map(Number);

function canvasOf(columns, rows, fill) {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  fill(image.data);
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A heat map of bytes as a picture: transparent where it is cold. */
export const heatCanvas = ({ rows, columns, bytes }) => canvasOf(columns, rows, data => {
  const colours = Array.from({ length: 256 }, (_, n) => heatColour(0.25 + 0.75 * n / 255));
  for (let i = 0; i < bytes.length; i++) data.set([...colours[bytes[i]], bytes[i]], 4 * i);
});

/** A mask of bytes as a picture in a colour of the page: faint inside, full at its edges; unknown pixels (255) grey. */
export const maskCanvas = ({ rows, columns, bytes }, name) => canvasOf(columns, rows, data => {
  const [own, unknown] = [channels(colour(name)), [160, 160, 160]];
  for (let y = 0, i = 0; y < rows; y++) for (let x = 0; x < columns; x++, i++) {
    const here = bytes[i];
    if (!here) continue;
    const edge = x === 0 || y === 0 || x === columns - 1 || y === rows - 1
      || bytes[i - 1] !== here || bytes[i + 1] !== here || bytes[i - columns] !== here || bytes[i + columns] !== here;
    data.set([...(here === 255 ? unknown : own), edge ? 255 : 70], 4 * i);
  }
});

/** Draw layers over a canvas in the same view as the picture below it. A layer is {canvas, smooth, opacity} or {boxes, colour, classes}. */
export function drawLayers(canvas, picture, view, layers) {
  const context = canvas.getContext("2d"), { scale } = view;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const left = canvas.width / 2 - view.x * scale, top = canvas.height / 2 - view.y * scale;
  for (const layer of layers) {
    context.globalAlpha = layer.opacity ?? 1;
    if (layer.canvas) {
      context.imageSmoothingEnabled = layer.smooth;
      context.drawImage(layer.canvas, left, top, picture.columns * scale, picture.rows * scale);
      continue;
    }
    context.strokeStyle = context.fillStyle = colour(layer.colour);
    context.lineWidth = 2 * devicePixelRatio;
    context.setLineDash(layer.dashed ? [6 * devicePixelRatio, 4 * devicePixelRatio] : []);
    context.font = `600 ${12 * devicePixelRatio}px sans-serif`;
    context.shadowColor = "#000";
    context.shadowBlur = 3 * devicePixelRatio;
    for (const box of layer.boxes) {
      const [x0, y0, x1, y1] = box.corners.map((at, k) => (k % 2 ? top : left) + at * scale);
      context.strokeRect(x0, y0, x1 - x0, y1 - y0);
      const score = box.score === null || box.score === undefined ? "" : ` ${box.score.toFixed(2)}`;
      context.fillText(`${layer.classes[box.label] ?? ""}${score}`, x0 + 2, y0 - 4 * devicePixelRatio);
    }
    context.setLineDash([]);
    context.shadowBlur = 0;
  }
  context.globalAlpha = 1;
}

/** Bytes with their shape, as the server sends masks and maps. */
export async function bytesOf(answer) {
  const rows = +answer.headers.get("X-Evenray-Rows"), columns = +answer.headers.get("X-Evenray-Columns");
  return { rows, columns, bytes: new Uint8Array(await answer.arrayBuffer()) };
}
