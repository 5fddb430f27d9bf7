// The light bench: an image, chains of contrast methods, and what they do to it while a slider moves.

import { ask, attempt, get, given, make, number, redraw, say, send, tell } from "./frame.js";
import { form, parse, spec, step } from "./chain.js";
import { histogram } from "./drawing.js";
import { Levels, at, binned, moments, through } from "./levels.js";

const $ = id => document.getElementById(id);
const BINS = 256, KNOTS = 17;
const before = { canvas: $("before"), chart: $("before-chart"), facts: $("before-facts") };
const sides = ["a", "b"].map(name => ({
  name, canvas: $(`${name}`), chart: $(`${name}-chart`), facts: $(`${name}-facts`), form: $(`${name}-steps`), spec: $(`${name}-spec`),
  steps: [step(name === "a" ? "equalize" : "clahe")], drawn: null, chosen: 8, busy: false, again: null, answer: null,
}));
const [a, b] = sides;
let picture = given.pictures[0].key, damage = {}, levels = null, loading = false, again = false;

// ---- pictures

const shown = () => ({ picture, damage });
const label = one => one.kind === "drawn" ? say(`drawn.${one.name}`)
  : one.kind === "run" ? `${one.name}${one.label ? `, ${one.label}` : ""}` : say(one.kind, { number: one.name });

function choices() {
  const groups = new Map();
  for (const one of given.pictures) {
    const group = one.kind === "run" ? say("of_run", { run: one.of }) : say(`group.${one.kind}`);
    groups.set(group, [...(groups.get(group) ?? []), make("option", { value: one.key, selected: one.key === picture }, label(one))]);
  }
  $("picture").replaceChildren(...[...groups].map(([group, options]) => make("optgroup", { label: group }, ...options)));
}

/** Fetch the picture as the damage leaves it; while one is on its way only the last of those asked for is remembered. */
async function load() {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  try {
    const query = new URLSearchParams({ picture, damage: JSON.stringify(damage) });
    const found = await Levels.from(await ask(`/light-bench/pixels?${query}`));
    const other = !levels?.key.startsWith(`${picture}{`);
    found.key = query.get("picture") + query.get("damage");
    levels = found;
    if (other) forms(); // its levels have another range
    drawBefore();
    await Promise.all([...sides.filter(visible).map(side => look(side)), countFrequencies()]);
  } finally {
    loading = false;
    if (again) {
      again = false;
      await load();
    }
  }
}

const visible = side => side === a || !$("b-side").hidden;

function drawBefore() {
  levels.paint(before.canvas);
  before.canvas.dataset.shows = levels.key;
  const bins = binned(levels.counts, null, BINS);
  histogram(before.chart, bins);
  tellFacts(before.facts, bins);
}

function tellFacts(place, bins) {
  const { mean, skewness, entropy } = moments(bins);
  const lean = Math.abs(skewness) < .1 ? "even" : skewness < 0 ? "left" : "right";
  place.textContent = say("facts", { mean: number(100 * mean, 0), skewness: number(skewness, 2), lean: say(`skew.${lean}`), entropy: number(entropy, 2) });
}

// ---- a chain: ask for its curve (or pixels), then look up and draw here

async function look(side, began = null) {
  if (side.busy) {
    side.again = began ?? side.again ?? performance.now();
    return;
  }
  side.busy = true;
  side.spec.textContent = spec(side.steps, side.drawn);
  try {
    const of = levels, chain = spec(side.steps);
    const answer = await ask("/light-bench/look", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ...shown(), spec: chain }),
    });
    const bytes = await answer.arrayBuffer();
    if (of === levels) {
      side.answer = answer.headers.get("x-kind") === "curve" ? { levels, curve: new Float32Array(bytes) } : { levels: levels.with(bytes), curve: null };
      side.answer.shows = `${levels.key} ${chain}`;
      side.problem.hidden = true;
      draw(side, began);
    }
  } catch (problem) {
    side.problem.textContent = problem.message;
    side.problem.hidden = false;
  } finally {
    side.busy = false;
    const again = side.again;
    side.again = null;
    if (again !== null) look(side, again);
  }
}

/** Everything that a side shows, in the next frame; from the input until that frame is on the screen is measured. */
function draw(side, began = null) {
  if (!side.answer) return;
  requestAnimationFrame(() => {
    const { levels: own, curve: found } = side.answer;
    const curve = side.drawn ? through(side.drawn, found, own.levels) : found;
    own.paint(side.canvas, curve);
    const bins = binned(own.counts, curve, BINS);
    const straight = own === levels && !curve ? Float32Array.of(0, 1) : curve;
    histogram(side.chart, bins, { curve: straight, knots: side.drawn, chosen: side.chart === document.activeElement ? side.chosen : -1 });
    tellFacts(side.facts, bins);
    side.canvas.dataset.shows = side.answer.shows;
    side.spec.textContent = spec(side.steps, side.drawn);
    $("command").textContent = command();
    if (began !== null) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        if (performance.getEntriesByName("evenray.slider").length > 999) performance.clearMeasures("evenray.slider");
        performance.measure("evenray.slider", { start: began, end: performance.now() });
      };
      port2.postMessage(null);
    }
  });
}

const quoted = text => `'${text.replaceAll("'", `'\\''`)}'`;
const active = () => spec(a.steps, a.drawn);
const command = () => `evenray enhance FOLDER --method ${quoted(active())}`;

function forms() {
  for (const side of sides) {
    form(side.form, side.steps, levels ? [levels.low, levels.high] : [0, 255], event => attempt(() => look(side, event?.timeStamp ?? performance.now())));
  }
}

for (const side of sides) {
  side.problem = $(`${side.name}-problem`);
  $(`${side.name}-add`).addEventListener("click", () => {
    side.steps.push(step("gamma", { gamma: .8 }));
    forms();
    look(side);
    side.form.lastElementChild.querySelector("select").focus();
  });
  const pen = $(`${side.name}-draw`);
  pen.addEventListener("click", () => {
    side.drawn = side.drawn ? null : begun(side);
    pen.setAttribute("aria-pressed", String(Boolean(side.drawn)));
    side.chart.classList.toggle("pen", Boolean(side.drawn));
    $(`${side.name}-hint`).hidden = !side.drawn;
    draw(side);
    if (side.drawn) side.chart.focus();
  });
  byHand(side);
  $(`${side.name}-copy`).addEventListener("click", () => copy(spec(side.steps, side.drawn)));
  redraw(side.chart, () => draw(side));
}

// ---- a curve drawn by hand: with the pointer, or knot by knot with the arrow keys

/** The knots to begin with: those of the chain's curve, which they then stand for; behind a method that has none, a straight line. */
function begun(side) {
  const curve = side.answer?.curve;
  const knots = Array.from({ length: KNOTS }, (_, i) => [i / (KNOTS - 1), Math.round(1000 * at(curve, i / (KNOTS - 1))) / 1000]);
  if (curve) {
    side.steps = [step("none")];
    forms();
    attempt(() => look(side));
  }
  return knots;
}

function byHand(side) {
  const { chart } = side;
  let last = null;
  const place = event => {
    const box = chart.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height].map(v => Math.min(Math.max(v, 0), 1));
  };
  const pull = (from, to) => {
    const [[x0, y0], [x1, y1]] = from[0] <= to[0] ? [from, to] : [to, from], half = .5 / (KNOTS - 1);
    for (const knot of side.drawn) {
      if (knot[0] >= x0 - half && knot[0] <= x1 + half) {
        knot[1] = round(x1 - x0 < 1e-6 ? to[1] : y0 + (y1 - y0) * Math.min(Math.max((knot[0] - x0) / (x1 - x0), 0), 1));
      }
    }
  };
  const round = value => Math.round(value * 1000) / 1000;
  chart.addEventListener("pointerdown", event => {
    if (!side.drawn) return;
    chart.setPointerCapture(event.pointerId);
    last = place(event);
    side.chosen = Math.round(last[0] * (KNOTS - 1));
    pull(last, last);
    draw(side, event.timeStamp);
  });
  chart.addEventListener("pointermove", event => {
    if (!side.drawn || !last) return;
    const to = place(event);
    pull(last, to);
    last = to;
    draw(side, event.timeStamp);
  });
  for (const end of ["pointerup", "pointercancel"]) chart.addEventListener(end, () => { last = null; });
  chart.addEventListener("keydown", event => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, .02], ArrowDown: [0, -.02] }[event.key];
    if (!side.drawn || !move) return;
    event.preventDefault();
    side.chosen = Math.min(Math.max(side.chosen + move[0], 0), KNOTS - 1);
    const knot = side.drawn[side.chosen];
    knot[1] = round(Math.min(Math.max(knot[1] + move[1], 0), 1));
    $(`${side.name}-hint`).textContent = say("knot", { from: number(knot[0], 2), to: number(knot[1], 2) });
    draw(side, event.timeStamp);
  });
  chart.addEventListener("focus", () => draw(side));
  chart.addEventListener("blur", () => draw(side));
}

// ---- two methods side by side

$("compare").addEventListener("click", () => {
  const hidden = $("b-side").hidden = $("b-controls").hidden = !$("b-side").hidden;
  $("compare").setAttribute("aria-pressed", String(!hidden));
  $("plates").classList.toggle("three", !hidden);
  if (!hidden) attempt(() => look(b));
});

// ---- damage

for (const slider of document.querySelectorAll("[data-damage]")) {
  slider.addEventListener("input", () => {
    const { damage: name } = slider.dataset;
    damage[name] = slider.type === "checkbox" ? slider.checked : slider.valueAsNumber;
    damageTold();
    clearMending();
    attempt(load);
  });
}
$("repair").addEventListener("click", () => {
  damage = {};
  for (const slider of document.querySelectorAll("[data-damage]")) slider.type === "checkbox" ? slider.checked = false : slider.value = 0;
  damageTold();
  clearMending();
  attempt(load);
});

function damageTold() {
  for (const slider of document.querySelectorAll("input[type=range][data-damage]")) {
    const value = slider.valueAsNumber, name = slider.dataset.damage;
    $(`damage-${name}`).textContent = name === "exposure" ? say("stops", { value: `${value > 0 ? "+" : ""}${number(value, 1)}` }) : `${number(100 * value, 1)} %`;
  }
}

function clearMending() {
  $("mended").hidden = true;
}

$("mend").addEventListener("click", () => attempt(async () => {
  $("mend").disabled = true;
  try {
    const found = await send("/light-bench/mending", shown());
    const most = Math.max(...found.map(one => one.left));
    $("mended-rows").replaceChildren(...found.map(one => {
      const bar = make("i");
      bar.style.width = `${100 * one.left / most}%`;
      return make("tr", {},
        make("td", {}, make("button.plain.code", { type: "button", onclick: () => use(one.spec) }, one.spec)),
        make("td.gauge", {}, make("span.meter", { "aria-hidden": "true" }, bar)), make("td.n", {}, number(one.left, 1)), make("td.n", {}, number(one.moved, 1)));
    }));
    $("mended").hidden = false;
    $("mended-told").textContent = say(found[0].spec === "none" ? "mended.none" : "mended.best", { spec: found[0].spec, left: number(found[0].left, 1), none: number(found.find(one => one.spec === "none").left, 1) });
  } finally {
    $("mend").disabled = false;
  }
}));

function use(text) {
  a.steps = parse(text);
  if (a.drawn) $("a-draw").click();
  forms();
  attempt(() => look(a));
}

// ---- the frequency table

const width = $("bin-width"), source = $("table-of");
let asking = 0;

async function countFrequencies() {
  const slides = source.value === "slides", spread = levels.high - levels.low;
  Object.assign(width, slides ? { min: .25, max: 3.5, step: .25 } : { min: Math.max(1, Math.round(spread / 64)), max: Math.round(spread / 4), step: Math.max(1, Math.round(spread / 256)) });
  if (source.dataset.was !== source.value) {
    width.value = slides ? 1 : spread / 8;
    source.dataset.was = source.value;
  }
  $("bin-told").textContent = number(width.valueAsNumber, 2);
  const number_ = ++asking;
  const found = await send("/light-bench/frequencies", { shown: slides ? null : shown(), width: width.valueAsNumber });
  if (number_ !== asking) return;
  const most = Math.max(...found.rows.map(([, count]) => count)), total = found.rows.reduce((sum, [, count]) => sum + count, 0);
  $("frequency-rows").replaceChildren(...found.rows.map(([name, count]) => {
    const bar = make("i");
    bar.style.width = `${100 * count / most}%`;
    return make("tr", {}, make("th", { scope: "row" }, name.replace(" to ", say("to"))), make("td.n", {}, number(count)), make("td.n", {}, `${number(100 * count / total, 1)} %`), make("td.gauge", {}, make("span.meter.joined", { "aria-hidden": "true" }, bar)));
  }));
  $("frequency-total").textContent = say("values", { count: number(total), bins: number(found.rows.length) });
}
width.addEventListener("input", () => attempt(countFrequencies));
source.addEventListener("change", () => attempt(countFrequencies));

// ---- what the spec is for

async function copy(text) {
  await attempt(async () => {
    await navigator.clipboard.writeText(text);
    tell(say("copied", { text }));
  });
}
$("copy-command").addEventListener("click", () => copy(command()));
$("copies").hidden = !given.copies;
$("copies").addEventListener("click", () => attempt(async () => {
  let found = await send("/light-bench/copies", { spec: active() });
  $("copies").disabled = true;
  try {
    while (found.state === "running") {
      $("copies-told").textContent = say("copies.running", { count: number(found.written), folder: found.name });
      await new Promise(done => setTimeout(done, 700));
      found = await get(`/light-bench/copies/${encodeURIComponent(found.name)}`);
    }
    $("copies-told").textContent = say(found.state === "done" ? "copies.done" : "copies.failed", { count: number(found.written), folder: found.name, error: found.error });
  } finally {
    $("copies").disabled = false;
  }
}));
$("recipe").addEventListener("click", () => { location.href = `/runs?${new URLSearchParams({ contrast: active() })}`; });

$("picture").addEventListener("change", event => { picture = event.target.value; clearMending(); attempt(load); });
$("file").addEventListener("change", event => attempt(async () => {
  const [file] = event.target.files;
  if (!file) return;
  const one = await (await ask("/light-bench/picture", { method: "POST", body: file })).json();
  given.pictures = [...given.pictures.filter(({ key }) => key !== one.key), one];
  picture = one.key;
  choices();
  await load();
}));
redraw(before.chart, () => levels && drawBefore());

choices();
damageTold();
attempt(async () => { await load(); document.body.dataset.ready = ""; });
