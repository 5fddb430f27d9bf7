// An image with its own 8 to 16 bits, and a canvas on which a look-up table shows it: window, level and curves need no server.

import { ask } from "./frame.js";

/** The pixels of an image as the server has them ("X-Evenray-Pixels", see app/pixels.py). */
export class Picture {
  constructor(about, buffer) {
    Object.assign(this, about);
    const count = about.rows * about.columns * about.channels;
    this.numbers = about.width === 2 ? new Uint16Array(buffer, 0, count) : new Uint8Array(buffer, 0, count);
    this.there = about.masked ? new Uint8Array(buffer, count * about.width) : null;
    this.smaller = [this];
  }

  static async load(path, options) {
    const answer = await ask(path, options);
    return new Picture(JSON.parse(answer.headers.get("X-Evenray-Pixels")), await answer.arrayBuffer());
  }

  /** How many numbers there can be. */
  get levels() { return 2 ** (8 * this.width); }

  /** The value of a pixel in the units of the file (of colour three); null outside and where data is missing. */
  value(x, y) {
    if (x < 0 || y < 0 || x >= this.columns || y >= this.rows) return null;
    const at = y * this.columns + x;
    if (this.there && !this.there[at]) return null;
    return Array.from({ length: this.channels }, (_, k) => this.offset + this.slope * this.numbers[at * this.channels + k]);
  }

  /** How many pixels have each number, missing ones not counted; of colour, of all three channels. */
  counts() {
    const counts = new Uint32Array(this.levels), { numbers, there, channels } = this;
    for (let i = 0; i < numbers.length; i++) if (!there || there[(i / channels) | 0]) counts[numbers[i]]++;
    return counts;
  }

  /** The number below which lies a share of the pixels. */
  percentile(share) {
    this.counted ??= this.counts();
    const total = this.counted.reduce((sum, n) => sum + n, 0);
    let seen = 0;
    for (let n = 0; n < this.counted.length; n++) if ((seen += this.counted[n]) >= share * total) return n;
    return this.levels - 1;
  }

  /** The picture halved so often that a step of the screen is between one and two of its pixels. */
  shrunk(scale) {
    const level = Math.max(0, Math.floor(Math.log2(1 / scale)));
    while (this.smaller.length <= level) this.smaller.push(halved(this.smaller.at(-1)));
    return this.smaller[level];
  }
}

function halved(picture) {
  const { columns: wide, channels, numbers, there } = picture;
  const rows = Math.max(1, picture.rows >> 1), columns = Math.max(1, picture.columns >> 1);
  const half = Object.assign(Object.create(Picture.prototype), picture, { rows, columns });
  half.numbers = new numbers.constructor(rows * columns * channels);
  half.there = there && new Uint8Array(rows * columns);
  const right = picture.columns > 1 ? 1 : 0, down = picture.rows > 1 ? wide : 0;
  for (let y = 0, to = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const from = 2 * y * wide + 2 * x;
      if (there) half.there[y * columns + x] = there[from];
      for (let k = 0, at = from * channels; k < channels; k++, at++, to++) {
        half.numbers[to] = (numbers[at] + numbers[at + right * channels] + numbers[at + down * channels] + numbers[at + (right + down) * channels] + 2) >> 2;
      }
    }
  }
  return half;
}

/** The look-up table of a window: grey 0 to 255 for every number. `centre` and `width` are in the units of the file. */
export function windowTable(picture, centre, width, invert = false) {
  const table = new Uint8ClampedArray(picture.levels);
  const low = (centre - width / 2 - picture.offset) / picture.slope, step = 255 * picture.slope / Math.max(width, 1e-9);
  for (let n = 0; n < table.length; n++) table[n] = (n - low) * step;
  return invert ? table.map(grey => 255 - grey) : table;
}

/** Shows a picture on a canvas. `view` is {x, y, scale}: the place of the picture in the middle, and canvas pixels a pixel. */
export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  /** `table` has a grey for every number. `rough` takes the nearest pixels, which is fast enough while it moves; so does a scale at
   * which the pixels themselves are looked at. Otherwise they are interpolated, anew only where the view is another one than before. */
  draw(picture, view, table, rough = false) {
    const { width, height } = this.canvas, nearest = rough || view.scale >= 8;
    const key = nearest ? null : [view.x, view.y, view.scale, width, height].join();
    if (nearest || picture !== this.picture || key !== this.key) {
      Object.assign(this, { picture, key });
      if (this.image?.width !== width || this.image.height !== height) this.image = this.context.createImageData(width, height);
      else this.image.data.fill(0);
      if (!nearest) this.sample(picture, view, width, height);
    }
    const out = new Uint32Array(this.image.data.buffer), grey = new Uint32Array(table.length);
    for (let n = 0; n < table.length; n++) grey[n] = 0xff000000 | table[n] * 0x010101;
    if (nearest) showNearest(out, picture, view, width, height, table, grey);
    else this.look(out, width, table, grey);
    this.context.putImageData(this.image, 0, 0);
  }

  /** What was sampled, through a table. */
  look(out, width, table, grey) {
    const { seen, left, right, top, bottom } = this;
    for (let y = top; y < bottom; y++) {
      if (this.picture.channels === 1) for (let i = y * width + left, end = y * width + right; i < end; i++) out[i] = grey[seen[i]];
      else for (let i = y * width + left, end = y * width + right, j = 3 * i; i < end; i++, j += 3) out[i] = colour(table, seen, j);
    }
    if (this.gone) for (const i of this.gone) out[i] = 0;
  }

  /** The number that stands at every pixel of the canvas between `left`, `top`, `right` and `bottom`; `gone` are places without data. */
  sample(whole, view, width, height) {
    const picture = whole.shrunk(view.scale), { columns, channels, numbers, there } = picture;
    const count = width * height * channels;
    if (this.seen?.length !== count || this.seen.constructor !== numbers.constructor) this.seen = new numbers.constructor(count);
    const [across, along] = axes(whole, picture, view, width, height);
    Object.assign(this, { left: across.from, right: across.to, top: along.from, bottom: along.to, gone: there ? [] : null });
    const { seen, gone } = this;
    for (let y = along.from; y < along.to; y++) {
      const near = along.near[y] * columns, top = along.first[y] * columns, bottom = along.next[y] * columns, v = along.part[y];
      for (let x = across.from, to = (y * width + x) * channels; x < across.to; x++, to += channels) {
        if (gone && !there[near + across.near[x]]) gone.push(y * width + x);
        const u = across.part[x], left = across.first[x] * channels, right = across.next[x] * channels;
        for (let k = 0, i = top * channels, j = bottom * channels; k < channels; k++, i++, j++) {
          const above = numbers[i + left] * (1 - u) + numbers[i + right] * u, below = numbers[j + left] * (1 - u) + numbers[j + right] * u;
          seen[to + k] = above * (1 - v) + below * v + 0.5;
        }
      }
    }
  }
}

/** The nearest pixels through a table, in one pass. */
function showNearest(out, whole, view, width, height, table, grey) {
  const picture = whole.shrunk(view.scale), { columns, channels, numbers, there } = picture;
  const [across, along] = axes(whole, picture, view, width, height), { near, from, to } = across;
  for (let y = along.from; y < along.to; y++) {
    const row = along.near[y] * columns, start = y * width;
    if (channels === 1) for (let x = from; x < to; x++) out[start + x] = grey[numbers[row + near[x]]];
    else for (let x = from; x < to; x++) out[start + x] = colour(table, numbers, 3 * (row + near[x]));
    if (there) for (let x = from; x < to; x++) if (!there[row + near[x]]) out[start + x] = 0;
  }
}

const colour = (table, numbers, at) => 0xff000000 | table[numbers[at + 2]] << 16 | table[numbers[at + 1]] << 8 | table[numbers[at]];

/** Where the columns and rows of a canvas lie in a picture that `shown` is made of. */
const axes = (whole, shown, view, width, height) => [
  places(width, view.x, view.scale, shown.columns / whole.columns, shown.columns),
  places(height, view.y, view.scale, shown.rows / whole.rows, shown.rows),
];

/** Along one axis of the canvas: the pixel that each place shows, the two that it lies between, and how far it is from the first. */
function places(size, middle, scale, factor, most) {
  const at = { near: new Int32Array(size), first: new Int32Array(size), next: new Int32Array(size), part: new Float32Array(size), from: size, to: 0 };
  for (let i = 0; i < size; i++) {
    const place = ((i + 0.5 - size / 2) / scale + middle) * factor;
    if (place < 0 || place >= most) continue;
    at.from = Math.min(at.from, i);
    at.to = i + 1;
    const low = Math.max(0, Math.min(most - 1, place - 0.5));
    at.near[i] = Math.floor(place);
    at.first[i] = Math.floor(low);
    at.next[i] = Math.min(most - 1, at.first[i] + 1);
    at.part[i] = low - at.first[i];
  }
  return at;
}
