// An image in the browser at its own 8 to 16 bits: its levels, their counts, and the picture that a curve makes of them.

const LEAST = 256; // pixels of the screen that an image has at least

/** The pixels of a request: levels (Uint8Array or Uint16Array) and what is told about them. */
export class Levels {
  constructor(values, about, mask = null) {
    Object.assign(this, about);
    this.values = values;
    this.mask = mask;
    this.sizes = new Map(); // averaged down for the screen, by how many pixels become one
  }

  /** From the answer of /light-bench/pixels. */
  static async from(answer) {
    const about = JSON.parse(answer.headers.get("x-picture"));
    const bytes = await answer.arrayBuffer();
    const size = about.height * about.width, used = size * about.bits / 8;
    return new Levels(typed(bytes.slice(0, used), about.bits), about, about.masked ? new Uint8Array(bytes, used, size) : null);
  }

  /** Other pixels of the same image, as /light-bench/look sends them. */
  with(bytes) {
    const { height, width, levels, low, high, bits } = this;
    return new Levels(typed(bytes, bits), { height, width, levels, low, high, bits }, this.mask);
  }

  /** How often each level occurs where data is. */
  get counts() {
    if (!this.counted) {
      this.counted = new Float64Array(this.levels);
      const { values, mask, counted } = this;
      if (mask) for (let i = 0; i < values.length; i++) counted[values[i]] += mask[i];
      else for (let i = 0; i < values.length; i++) counted[values[i]]++;
    }
    return this.counted;
  }

  /** Draw through a curve (values 0 to 1 over even levels; null for none); missing pixels stay as they are. */
  paint(canvas, curve = null) {
    const { height, width, values, mask } = this.drawn(canvas);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (canvas.frame?.width !== width || canvas.frame?.height !== height) canvas.frame = context.createImageData(width, height);
    const pixels = new Uint32Array(canvas.frame.data.buffer);
    const table = this.table(curve);
    for (let i = 0; i < values.length; i++) pixels[i] = table[values[i]];
    if (mask) {
      const plain = this.table(null);
      for (let i = 0; i < values.length; i++) if (!mask[i]) pixels[i] = plain[values[i]];
    }
    context.putImageData(canvas.frame, 0, 0);
  }

  /** The pixels for a canvas: means of k x k of them where it has so many fewer. Counts are always those of all pixels. */
  drawn(canvas) {
    const room = Math.max(canvas.clientWidth * (devicePixelRatio || 1), LEAST);
    const k = Math.max(1, Math.floor(this.width / room));
    if (!this.sizes.has(k)) this.sizes.set(k, smaller(this, k));
    return this.sizes.get(k);
  }

  /** The pixel on the screen for every level. */
  table(curve) {
    const found = new Uint32Array(this.levels);
    for (let level = 0; level < this.levels; level++) {
      const grey = Math.round(255 * at(curve, level / (this.levels - 1)));
      found[level] = 0xff000000 | grey << 16 | grey << 8 | grey;
    }
    return found;
  }
}

/** A curve at a place from 0 to 1, linear between its values; without one the place itself. */
export function at(curve, place) {
  if (!curve) return place;
  const where = place * (curve.length - 1), below = Math.min(Math.floor(where), curve.length - 2), part = where - below;
  return part < 1e-9 ? curve[below] : curve[below] + (curve[below + 1] - curve[below]) * part;
}

/** Straight lines through points [[in, out], ...] from (0, 0) to (1, 1), after a curve, as `piecewise` has it. */
export function through(points, curve, levels) {
  const ends = [...(points[0]?.[0] > 0 ? [[0, 0]] : []), ...points, ...(points.at(-1)?.[0] < 1 ? [[1, 1]] : [])];
  const found = new Float32Array(Math.min(levels, 4096));
  for (let i = 0; i < found.length; i++) {
    const place = Math.min(Math.max(at(curve, i / (found.length - 1)), 0), 1);
    let k = 1;
    while (k < ends.length - 1 && ends[k][0] < place) k++;
    const [x0, y0] = ends[k - 1], [x1, y1] = ends[k];
    found[i] = y0 + (y1 - y0) * Math.min(Math.max((place - x0) / (x1 - x0), 0), 1);
  }
  return found;
}

/** Counts of levels in `bins` even bins after a curve; Float64Array (bins). */
export function binned(counts, curve, bins) {
  const found = new Float64Array(bins), last = counts.length - 1;
  for (let level = 0; level <= last; level++) {
    if (counts[level]) found[Math.min(Math.floor(at(curve, level / last) * bins), bins - 1)] += counts[level];
  }
  return found;
}

/** Mean (0 to 1), skewness and entropy in bits of counts in even bins. */
export function moments(bins) {
  let total = 0, mean = 0;
  bins.forEach((count, i) => { total += count; mean += count * i / (bins.length - 1); });
  if (!total) return { mean: NaN, skewness: NaN, entropy: NaN };
  mean /= total;
  let second = 0, third = 0, entropy = 0;
  bins.forEach((count, i) => {
    const apart = i / (bins.length - 1) - mean;
    second += count * apart ** 2 / total;
    third += count * apart ** 3 / total;
    if (count) entropy -= count / total * Math.log2(count / total);
  });
  return { mean, skewness: second ? third / second ** 1.5 : 0, entropy };
}

const typed = (bytes, bits) => bits === 8 ? new Uint8Array(bytes) : new Uint16Array(bytes);

/** Means of k x k pixels, so that a screen can show them. */
function smaller({ values, height, width, mask }, k) {
  if (k === 1) return { values, height, width, mask };
  const rows = Math.floor(height / k), columns = Math.floor(width / k);
  const found = new values.constructor(rows * columns), there = mask && new Uint8Array(rows * columns);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let j = 0; j < k; j++) for (let i = 0; i < k; i++) sum += values[(y * k + j) * width + x * k + i];
      found[y * columns + x] = Math.round(sum / (k * k));
      if (there) there[y * columns + x] = mask[y * k * width + x * k];
    }
  }
  return { values: found, height: rows, width: columns, mask: there };
}
