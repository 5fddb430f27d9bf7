// One image in the viewer: window and level, zoom and pan with mouse, fingers and keys; what is drawn over it; the value below the pointer.

import { make, number, say } from "./frame.js";
import { drawLayers } from "./overlays.js";
import { Painter, windowTable } from "./picture.js";

export class Pane {
  constructor({ label, changed }) {
    this.changed = changed;
    this.canvas = make("canvas", { tabindex: "0", role: "img", "aria-label": label });
    this.over = make("canvas.over", { "aria-hidden": "true" });
    this.told = make("p.told");
    this.title = make("p.title");
    this.element = make("div.pane", {}, this.canvas, this.over, this.title, this.told);
    this.painter = new Painter(this.canvas);
    this.layers = [];
    this.drags = "window";
    this.pointers = new Map();
    new ResizeObserver(() => this.resize()).observe(this.element);
    this.canvas.addEventListener("wheel", event => this.wheel(event), { passive: false });
    this.canvas.addEventListener("pointerdown", event => this.down(event));
    this.canvas.addEventListener("pointermove", event => this.moved(event));
    for (const kind of ["pointerup", "pointercancel"]) this.canvas.addEventListener(kind, event => this.pointers.delete(event.pointerId));
    this.canvas.addEventListener("pointerleave", () => { this.pointed = null; this.tell(); });
    this.canvas.addEventListener("contextmenu", event => event.preventDefault());
    this.canvas.addEventListener("dblclick", () => this.fit());
  }

  /** Show a picture as its file asks, or in its whole range. */
  show(picture, { title = "", window = null } = {}) {
    this.picture = picture;
    this.title.textContent = title;
    this.layers = [];
    this.view = null;
    this.preset(...(window ?? picture.window ?? this.range()));
  }

  /** (centre, width) of the declared range, in the units of the file. */
  range() {
    const { low, high, offset, slope } = this.picture;
    return [offset + slope * (low + high) / 2, slope * (high - low)];
  }

  /** (centre, width) between the darkest and the brightest hundredth of the pixels. */
  spread() {
    const { offset, slope } = this.picture, low = this.picture.percentile(0.01), high = this.picture.percentile(0.99);
    return [offset + slope * (low + high) / 2, slope * Math.max(1, high - low)];
  }

  preset(centre, width) {
    Object.assign(this, { centre, width });
    this.draw();
  }

  resize() {
    const ratio = devicePixelRatio || 1, { clientWidth, clientHeight } = this.element;
    for (const canvas of [this.canvas, this.over]) {
      canvas.width = Math.max(1, Math.round(clientWidth * ratio));
      canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    }
    if (this.fitted) this.view = null;
    this.draw();
  }

  fit() {
    this.view = null;
    this.draw();
  }

  zoom(factor, x = this.canvas.width / 2, y = this.canvas.height / 2) {
    const { view, canvas } = this, before = this.place(x, y);
    view.scale = Math.min(64, Math.max(Math.min(canvas.width / this.picture.columns, canvas.height / this.picture.rows) / 2, view.scale * factor));
    view.x = before[0] - (x - canvas.width / 2) / view.scale;
    view.y = before[1] - (y - canvas.height / 2) / view.scale;
    this.fitted = false;
    this.moving();
  }

  pan(dx, dy) {
    const clamp = (value, most) => Math.min(most, Math.max(0, value));
    this.view.x = clamp(this.view.x - dx / this.view.scale, this.picture.columns);
    this.view.y = clamp(this.view.y - dy / this.view.scale, this.picture.rows);
    this.fitted = false;
    this.moving();
  }

  /** While it moves, the nearest pixels are shown; once it rests, they are interpolated. */
  moving() {
    this.rough = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => { this.rough = false; this.draw(); }, 120);
    this.draw();
  }

  level(dx, dy) {
    const step = this.range()[1] / 600;
    this.centre += dy * step;
    this.width = Math.max(this.picture.slope, this.width + dx * step);
    this.draw();
  }

  /** The place in the picture of a point of the canvas. */
  place(x, y) {
    return [(x - this.canvas.width / 2) / this.view.scale + this.view.x, (y - this.canvas.height / 2) / this.view.scale + this.view.y];
  }

  wheel(event) {
    event.preventDefault();
    const ratio = devicePixelRatio || 1;
    if (this.picture) this.zoom(1.0015 ** -event.deltaY, event.offsetX * ratio, event.offsetY * ratio);
  }

  down(event) {
    if (!this.picture) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  moved(event) {
    if (!this.picture) return;
    const ratio = devicePixelRatio || 1, last = this.pointers.get(event.pointerId);
    this.pointed = [event.offsetX * ratio, event.offsetY * ratio];
    if (!last) { this.tell(); return; }
    const dx = event.clientX - last[0], dy = event.clientY - last[1];
    if (this.pointers.size === 2) {
      const other = [...this.pointers.entries()].find(([id]) => id !== event.pointerId)[1];
      const apart = (x, y) => Math.hypot(x - other[0], y - other[1]);
      this.zoom(apart(event.clientX, event.clientY) / Math.max(1, apart(...last)), ...this.pointed);
      this.pan(dx * ratio / 2, dy * ratio / 2);
    } else if (this.drags === "pan" || event.shiftKey || event.buttons & 6) this.pan(dx * ratio, dy * ratio);
    else this.level(dx, dy);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  draw() {
    if (this.frame || !this.picture) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  paint() {
    const { picture, canvas } = this;
    if (!this.view) {
      this.view = { x: picture.columns / 2, y: picture.rows / 2, scale: Math.min(canvas.width / picture.columns, canvas.height / picture.rows) };
      this.fitted = true;
    }
    this.painter.draw(picture, this.view, windowTable(picture, this.centre, this.width), this.rough);
    drawLayers(this.over, picture, this.view, this.layers);
    this.tell();
    this.changed(this);
  }

  /** The window, and below the pointer the place in pixels and mm and the value. */
  tell() {
    if (!this.picture || !this.view) return;
    const parts = [say("viewer.window", { centre: number(this.centre, 1), width: number(this.width, 1) }), `${number(100 * this.view.scale / (devicePixelRatio || 1), 0)} %`];
    if (this.pointed) {
      const [x, y] = this.place(...this.pointed).map(Math.floor), value = this.picture.value(x, y);
      const inside = x >= 0 && y >= 0 && x < this.picture.columns && y < this.picture.rows;
      if (inside) {
        parts.push(say("viewer.pixel", { x, y }));
        if (this.picture.spacing) parts.push(say("viewer.mm", { x: number((x + 0.5) * this.picture.spacing[1], 1), y: number((y + 0.5) * this.picture.spacing[0], 1) }));
        parts.push(value ? say("viewer.value", { value: value.map(v => number(v, 2)).join(", ") }) : say("viewer.missing"));
      }
    }
    this.told.textContent = parts.join(" · ");
  }
}
