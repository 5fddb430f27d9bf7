// The viewer of a case, over the page: presets, what is marked and called, where the network looked, and another case beside.

import { ask, attempt, make, number, say } from "./frame.js";
import { bytesOf, heatCanvas, heatColour, maskCanvas } from "./overlays.js";
import { Pane } from "./pane.js";
import { Picture } from "./picture.js";

export class Viewer {
  /** `cases` is the table, `windows` the CT windows by name, `order()` the rows that are shown now, `told(row)` lines about a case. */
  constructor({ run, cases, windows, order, told }) {
    Object.assign(this, { run, cases, windows, order, told });
    this.layers = {};
    this.opacity = 0.6;
    this.build();
  }

  build() {
    const button = (text, onclick, more = {}) => make("button", { type: "button", onclick, ...more }, text);
    this.main = new Pane({ label: say("viewer.image"), changed: () => this.mark() });
    this.pinned = new Pane({ label: say("viewer.pinned"), changed: () => {} });
    this.pinned.element.hidden = true;
    this.stage = make("div.stage", {}, this.pinned.element, this.main.element);
    this.presets = make("div.row", { role: "group", "aria-label": say("viewer.presets") });
    this.switches = make("div.switches");
    this.about = make("dl.about");
    this.heading = make("h2", { id: "viewer-title" });
    this.drag = make("div.row", { role: "group", "aria-label": say("viewer.drag") },
      ...["window", "pan"].map(kind => button(say(`viewer.drag_${kind}`), () => this.dragging(kind), { "data-drag": kind, "aria-pressed": kind === "window" })));
    this.pin = button(say("viewer.pin"), () => this.beside(), { "aria-pressed": "false" });
    this.side = make("div.side", {},
      make("p.small.quiet", { id: "viewer-keys" }, say("viewer.keys")), this.drag, make("h3", {}, say("viewer.presets")), this.presets,
      this.switches, make("div.row", {}, this.pin, button(say("viewer.fit"), () => this.main.fit())), this.about);
    this.dialog = make("dialog.viewer", { "aria-labelledby": "viewer-title" },
      make("div.bar", {}, this.heading, make("span.grow"),
        button("‹", () => this.step(-1), { "aria-label": say("viewer.previous") }), button("›", () => this.step(1), { "aria-label": say("viewer.next") }),
        button("×", () => this.dialog.close(), { "aria-label": say("close") })),
      make("div.body", {}, this.stage, this.side));
    this.dialog.addEventListener("keydown", event => this.key(event));
    this.dialog.addEventListener("close", () => this.asking?.abort());
    document.body.append(this.dialog);
  }

  open(at) {
    this.at = at;
    if (!this.dialog.open) this.dialog.showModal();
    return attempt(() => this.load());
  }

  step(by) {
    const to = this.at + by;
    if (to >= 0 && to < this.order().length) this.open(to);
  }

  async load() {
    this.asking?.abort();
    const { signal } = this.asking = new AbortController();
    const row = this.order()[this.at], path = `/cases/${encodeURIComponent(this.run)}/${row}`;
    this.heading.textContent = this.cases.case[row];
    this.stage.setAttribute("aria-busy", "true");
    const [picture, about] = await Promise.all([Picture.load(`${path}/pixels`, { signal }), ask(path, { signal }).then(answer => answer.json())]);
    this.stage.removeAttribute("aria-busy");
    this.layers = {};
    this.path = path;
    this.known = about;
    this.row = row;
    this.main.show(picture, { title: this.cases.case[row] });
    this.offer();
    this.describe();
    this.main.canvas.focus({ preventScroll: true });
    await Promise.all(["mask", "called"].filter(kind => kind in this.kinds && this.on.has(kind)).map(kind => this.turn(kind, true)));
    this.redraw();
  }

  /** The buttons of the windows, in the order of their keys. */
  offer() {
    const { main } = this, picture = main.picture;
    const known = [[say("viewer.whole"), main.range()], [say("viewer.spread"), main.spread()]];
    if (picture.window) known.unshift([say("viewer.file"), picture.window]);
    if (this.known.facts.modality === "CT") known.push(...Object.entries(this.windows).map(([name, window]) => [name.replaceAll("_", " "), window]));
    this.keys = known.slice(0, 9).map(([, window]) => window);
    this.presets.replaceChildren(...known.map(([name, window], k) => make("button", {
      type: "button", "data-window": window.join(), onclick: () => main.preset(...window), title: k < 9 ? say("viewer.key", { key: k + 1 }) : null,
    }, k < 9 ? make("kbd", {}, `${k + 1}`) : null, name)));
    this.kinds = {
      ...(this.known.mask && { mask: say("viewer.mask") }), ...(this.known.called_mask && { called: say("viewer.called_mask") }),
      ...(this.known.boxes.length && { boxes: say("viewer.boxes") }), ...(this.known.called_boxes.length && { found: say("viewer.called_boxes") }),
      ...(this.known.attribution && { heat: say("viewer.attribution") }),
    };
    this.on ??= new Set(["mask", "boxes", "called", "found"]);
    const marks = { mask: "true", boxes: "true", called: "called", found: "called" };
    const checks = Object.entries(this.kinds).map(([kind, text]) => {
      const swatch = kind in marks ? make("i.swatch") : null;
      if (swatch) swatch.style.background = `var(--mark-${marks[kind]})`;
      return make("label.check", {}, make("input", { type: "checkbox", name: kind, checked: this.on.has(kind),
        onchange: event => attempt(() => this.turn(kind, event.target.checked)) }), swatch, text);
    });
    const bar = make("canvas.colourbar", { width: 256, height: 1, "aria-hidden": "true" }), context = bar.getContext("2d");
    for (let n = 0; n < 256; n++) { context.fillStyle = `rgb(${heatColour(0.25 + 0.75 * n / 255).join()})`; context.fillRect(n, 0, 1, 1); }
    const several = this.cases.classes.length > 1;
    this.output = make("select", { name: "output", onchange: () => attempt(() => this.turn("heat", true)) },
      ...this.cases.classes.map((name, k) => make("option", { value: k, selected: name === this.cases.positive }, name)));
    const heat = this.known.attribution ? make("div.heat", { hidden: !this.on.has("heat") },
      several ? make("label.field", {}, make("span", {}, say("viewer.output")), this.output) : null,
      make("div.scale", {}, bar, make("span", {}, "0"), make("span", {}, say("viewer.most")))) : null;
    this.heatPart = heat;
    const slider = make("input", { type: "range", min: 0, max: 100, value: 100 * this.opacity, name: "opacity",
      oninput: event => { this.opacity = event.target.value / 100; this.redraw(); } });
    this.switches.replaceChildren(...(checks.length
      ? [make("h3", {}, say("viewer.over")), ...checks, heat, make("label.field", {}, make("span", {}, say("viewer.opacity")), slider)].filter(Boolean) : []));
    if (this.on.has("heat") && this.known.attribution) attempt(() => this.turn("heat", true));
  }

  describe() {
    const { main: { picture }, known } = this;
    const size = picture.spacing ? say("viewer.spacing", { x: number(picture.spacing[1]), y: number(picture.spacing[0]) }) : say("viewer.no_spacing");
    const lines = [...this.told(this.row), [say("viewer.size"), `${picture.columns} × ${picture.rows}, ${picture.bits} ${say("viewer.bits")}`], [say("viewer.spacing_title"), size],
      ...["modality", "view", "sex", "age_band"].filter(name => known.facts[name]).map(name => [say(`viewer.${name}`), known.facts[name]]),
      ...known.findings.map(text => [say("viewer.finding"), text])];
    this.about.replaceChildren(...lines.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
  }

  /** Show or hide a layer; masks and maps are asked for when they are first shown. */
  async turn(kind, shown) {
    this.on[shown ? "add" : "delete"](kind);
    if (kind === "heat") this.heatPart.hidden = !shown;
    if (shown && (kind === "mask" || kind === "called") && !this.layers[kind]) {
      const bytes = await bytesOf(await ask(`${this.path}/mask?which=${kind === "mask" ? "true" : "called"}`, { signal: this.asking.signal }));
      this.layers[kind] = maskCanvas(bytes, kind === "mask" ? "mark-true" : "mark-called");
    }
    if (shown && kind === "heat") {
      const bytes = await bytesOf(await ask(`${this.path}/attribution?output=${this.output.value || 0}`, { signal: this.asking.signal }));
      this.layers.heat = heatCanvas(bytes);
    }
    this.redraw();
  }

  redraw() {
    const { layers, on, known, opacity } = this, { classes } = this.cases, drawn = [];
    if (on.has("heat") && layers.heat) drawn.push({ canvas: layers.heat, smooth: true, opacity });
    for (const kind of ["mask", "called"]) if (on.has(kind) && layers[kind]) drawn.push({ canvas: layers[kind], smooth: false, opacity });
    if (on.has("boxes") && known.boxes.length) drawn.push({ boxes: known.boxes, colour: "mark-true", classes, opacity });
    if (on.has("found") && known.called_boxes.length) drawn.push({ boxes: known.called_boxes, colour: "mark-called", classes, opacity, dashed: true });
    this.main.layers = drawn;
    this.main.draw();
  }

  /** Which window is the one shown. */
  mark() {
    for (const each of this.presets.children) each.setAttribute("aria-pressed", each.dataset.window === [this.main.centre, this.main.width].join());
  }

  dragging(kind) {
    this.main.drags = this.pinned.drags = kind;
    for (const each of this.drag.children) each.setAttribute("aria-pressed", each.dataset.drag === kind);
  }

  /** Keep the case beside the next ones, or let it go. */
  beside() {
    const shown = this.pinned.element.hidden;
    this.pinned.element.hidden = !shown;
    this.pin.setAttribute("aria-pressed", shown);
    if (!shown) return;
    this.pinned.show(this.main.picture, { title: this.main.title.textContent, window: [this.main.centre, this.main.width] });
    this.pinned.layers = this.main.layers;
  }

  key(event) {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), "+": () => this.main.zoom(1.25), "=": () => this.main.zoom(1.25),
      "-": () => this.main.zoom(0.8), 0: () => this.main.fit(), a: () => this.switches.querySelector("[name=heat]")?.click(), s: () => this.beside(),
    };
    if (/^[1-9]$/.test(event.key) && this.keys?.[event.key - 1]) this.main.preset(...this.keys[event.key - 1]);
    else if (acts[event.key] && this.main.picture) acts[event.key]();
    else return;
    event.preventDefault();
  }
}
