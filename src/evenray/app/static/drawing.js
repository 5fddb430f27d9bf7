// Drawing on canvases: sharp at any pixel density, in the colours of the stylesheet.

import { colour } from "./frame.js";

/** A canvas made ready: { context, width, height } in pixels of the page. */
export function ready(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas, density = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
  }
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `12px ${getComputedStyle(canvas).fontFamily}`;
  return { context, width, height };
}

/** A histogram (adjoining bars), and over it a curve from (0, 0) to (1, 1) where there is one. */
export function histogram(canvas, bins, { curve = null, knots = null, chosen = -1 } = {}) {
  const { context, width, height } = ready(canvas);
  const base = height - 1, top = 8;
  // Two bins that hold the background may not press all others flat: the height is that of the third highest.
  const sorted = Float64Array.from(bins).sort(), high = Math.max(sorted.at(-3) ?? 0, sorted.at(-1) / 30, 1e-9);
  context.fillStyle = colour("hist");
  context.beginPath();
  for (let i = 0; i < bins.length; i++) {
    const tall = Math.min(bins[i] / high, 1) * (base - top);
    if (tall > 0) context.rect(i / bins.length * width, base - Math.max(tall, .6), width / bins.length + .3, Math.max(tall, .6));
  }
  context.fill();
  context.fillStyle = colour("edge");
  context.fillRect(0, base, width, 1);
  if (curve) line(context, curve, width, height, colour("series-1"), 2);
  for (const [i, [x, y]] of (knots ?? []).entries()) {
    context.beginPath();
    context.arc(x * width, (1 - y) * height, i === chosen ? 6 : 3.5, 0, 7);
    context.fillStyle = colour(i === chosen ? "ink" : "series-1");
    context.fill();
  }
}

/** Values 0 to 1 over the whole width. */
export function line(context, values, width, height, ink, thick = 1.5, dash = []) {
  context.save();
  context.strokeStyle = ink;
  context.lineWidth = thick;
  context.lineJoin = "round";
  context.setLineDash(dash);
  context.beginPath();
  const step = Math.max(1, Math.floor(values.length / Math.max(width, 1)));
  for (let i = 0; i < values.length; i += step) {
    const x = values.length > 1 ? i / (values.length - 1) * width : 0, y = (1 - values[i]) * (height - 2) + 1;
    if (i) context.lineTo(x, y); else context.moveTo(x, y);
  }
  context.stroke();
  context.restore();
}

/** A colour "rgb(r, g, b)" of the stylesheet as [r, g, b]. */
export const parts = name => colour(name).match(/[\d.]+/g).slice(0, 3).map(Number);
