// A grid of thumbnails of any number of cases: only those in view are in the page, and only their sketches are asked for.

import { ask, make } from "./frame.js";
import { paint } from "./sketches.js";

const SIDE = 32, BYTES = SIDE * SIDE, AT_ONCE = 256, KEPT = 20000, MARGIN = 2, REST = 40;

export class Grid {
  /** `address` gives the thumbnails of ?rows=; `caption(row)` is [text, classes] below one; `open(place)` is called with its place. */
  constructor(place, { address, label, caption, open, shape }) {
    Object.assign(this, { address, caption, open, shape });
    this.rows = [];
    this.pictures = new Map();
    this.wanted = new Set();
    this.at = 0;
    this.inside = make("div.grid-inside");
    this.box = make("div.grid", { role: "listbox", "aria-label": label, tabindex: "0" }, this.inside);
    place.replaceChildren(this.box);
    this.tiles = new Map();
    this.box.addEventListener("scroll", () => this.later());
    this.box.addEventListener("keydown", event => this.key(event));
    this.box.addEventListener("click", event => {
      const tile = event.target.closest(".tile");
      if (tile) { this.move(+tile.dataset.at, false); this.open(this.at); }
    });
    new ResizeObserver(() => this.measure()).observe(this.box);
  }

  /** Show these cases, in this order. */
  show(rows) {
    this.rows = rows;
    this.at = Math.min(this.at, Math.max(0, rows.length - 1));
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
    this.box.scrollTop = 0;
    this.measure();
  }

  measure() {
    const width = this.inside.clientWidth;
    if (!width) return;
    this.across = Math.max(2, Math.floor(width / (width < 480 ? 104 : 124)));
    this.side = Math.floor(width / this.across);
    this.height = this.side + 22;
    this.inside.style.height = `${Math.ceil(this.rows.length / this.across) * this.height}px`;
    for (const tile of this.tiles.values()) this.place(tile);
    this.later();
  }

  later() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.height) - MARGIN) * this.across;
    const last = Math.min(this.rows.length, (Math.ceil((this.box.scrollTop + this.box.clientHeight) / this.height) + MARGIN) * this.across);
    for (const [at, tile] of this.tiles) if (at < first || at >= last) { tile.remove(); this.tiles.delete(at); }
    const missing = [];
    for (let at = first; at < last; at++) {
      if (!this.tiles.has(at)) this.add(at);
      if (!this.pictures.has(this.rows[at])) missing.push(this.rows[at]);
    }
    this.box.setAttribute("aria-activedescendant", this.tiles.has(this.at) ? `tile-${this.at}` : "");
    clearTimeout(this.timer);
    if (missing.length) this.timer = setTimeout(() => this.fetch(missing), REST); // while it scrolls fast nothing is asked for
  }

  add(at) {
    const row = this.rows[at], [text, marks, told] = this.caption(row), [high, wide] = this.shape(row);
    const canvas = make("canvas", { width: SIDE, height: SIDE });
    const longest = Math.max(high, wide);
    canvas.style.width = `${100 * wide / longest}%`;
    canvas.style.height = `${100 * high / longest}%`;
    const tile = make(`div.tile${marks.map(mark => `.${mark}`).join("")}`, {
      role: "option", id: `tile-${at}`, "aria-selected": at === this.at, "aria-label": told, "aria-setsize": this.rows.length,
      "aria-posinset": at + 1, title: told,
    }, make("div.frame", {}, canvas), make("span", {}, text));
    tile.dataset.at = at;
    this.tiles.set(at, tile);
    this.place(tile);
    this.inside.append(tile);
    this.paint(tile);
  }

  place(tile) {
    const at = +tile.dataset.at;
    tile.style.width = `${this.side}px`;
    tile.style.height = `${this.height}px`;
    tile.style.transform = `translate(${at % this.across * this.side}px, ${Math.floor(at / this.across) * this.height}px)`;
  }

  paint(tile) {
    const grey = this.pictures.get(this.rows[+tile.dataset.at]);
    if (!grey) return;
    paint(tile.querySelector("canvas"), grey);
    tile.classList.add("here");
  }

  async fetch(missing) {
    const rows = missing.filter(row => !this.wanted.has(row)).slice(0, AT_ONCE);
    if (!rows.length) return;
    for (const row of rows) this.wanted.add(row);
    try {
      const answer = await ask(`${this.address}?rows=${rows.join()}`);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      rows.forEach((row, k) => this.pictures.set(row, bytes.subarray(k * BYTES, (k + 1) * BYTES)));
      for (const row of this.pictures.keys()) { if (this.pictures.size <= KEPT) break; this.pictures.delete(row); }
    } catch { /* asked for again when it is next in view */ }
    for (const row of rows) this.wanted.delete(row);
    for (const tile of this.tiles.values()) if (!tile.classList.contains("here")) this.paint(tile);
    if (missing.length > rows.length) this.later();
  }

  key(event) {
    const page = this.across * Math.max(1, Math.floor(this.box.clientHeight / this.height));
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.across, ArrowUp: -this.across, PageDown: page, PageUp: -page };
    if (event.key in steps) this.move(this.at + steps[event.key]);
    else if (event.key === "Home") this.move(0);
    else if (event.key === "End") this.move(this.rows.length - 1);
    else if (event.key === "Enter" || event.key === " ") { if (this.rows.length) this.open(this.at); }
    else return;
    event.preventDefault();
  }

  move(to, scroll = true) {
    this.tiles.get(this.at)?.setAttribute("aria-selected", false);
    this.at = Math.max(0, Math.min(this.rows.length - 1, to));
    const top = Math.floor(this.at / this.across) * this.height;
    if (scroll && top < this.box.scrollTop) this.box.scrollTop = top;
    else if (scroll && top + this.height > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + this.height - this.box.clientHeight;
    this.draw();
    this.tiles.get(this.at)?.setAttribute("aria-selected", true);
  }
}
