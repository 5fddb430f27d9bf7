// VGG16 from inside: the network to scale beside its table, a convolution by hand, feature maps, what a unit sees, what a decision rests on.

import { ask, attempt, given, make, number, redraw, say, get, send } from "./frame.js";
import { parts } from "./drawing.js";
import { FILTERS, convolve, padded, sideAfter, step } from "./convolution.js";
import { draw } from "./network_drawing.js";

const $ = id => document.getElementById(id);
const PATCH = 7;
const trained = given.networks.filter(([key]) => key !== "vgg16");
let drawnKey = "vgg16", drawn = null, marked = 0; // the network that is drawn
let of = trained[0]?.[0] ?? "vgg16", network = null, selected = 0; // the one that is looked into
let picture = given.pictures[0].key, input = null, maps = null;
let square = null, answered = null, overlay = null, corner = [0, 0], place = [0, 0], filter = FILTERS.vertical.map(row => [...row]);

const query = values => new URLSearchParams(values);
const whole = value => number(value, 0);
const shapeOf = row => row.output.map(whole).join(" × ");
const labelled = one => one.kind === "drawn" ? say(`drawn.${one.name}`) : one.kind === "run" ? `${one.name}${one.label ? `, ${one.label}` : ""}` : say("image", { number: one.name });
const percent = value => value > .999 && value < 1 ? ">99.9 %" : value < .001 && value > 0 ? "<0.1 %" : `${number(100 * value, 1)} %`;

// ---- the network and its table

async function openDrawn() {
  drawn = drawnKey === of && network ? network : await get(`/vgg16/network?${query({ of: drawnKey })}`);
  draw($("drawing"), drawn, row => say("told", { name: row.name, kind: say(`kind.${row.kind}`), output: shapeOf(row) }), choose);
  $("layers").replaceChildren(...drawn.rows.map((row, i) => make("tr", { "data-row": i, onclick: () => choose(i), onmouseenter: () => mark(i), onmouseleave: () => mark(marked) },
    make("th", { scope: "row" }, make("button.plain.code", { type: "button", "aria-pressed": "false", onfocus: () => mark(i) }, row.name)),
    make("td", {}, say(`kind.${row.kind}`)), make("td.n", {}, row.kernel ? `${row.kernel} × ${row.kernel}` : ""), make("td.n", {}, row.stride ?? ""), make("td.n", {}, row.padding ?? ""),
    make("td.n", {}, shapeOf(row)), make("td.n", {}, row.parameters ? whole(row.parameters) : ""), make("td.n", {}, row.field ?? say("all")))));
  $("total").textContent = whole(drawn.parameters);
  $("network-told").textContent = say("network_told", { spec: drawn.spec, size: drawn.size, parameters: whole(drawn.parameters), multiplications: whole(drawn.multiply_adds) });
  marked = Math.min(marked, drawn.rows.length - 1);
  mark(marked);
}

async function openNetwork() {
  network = await get(`/vgg16/network?${query({ of })}`);
  selected = Math.max(network.rows.findIndex(row => row.kind === "convolution"), 0);
  $("untrained").hidden = network.trained;
  $("inside").hidden = !network.trained;
  $("decision").hidden = !network.answers;
  $("target").replaceChildren(...network.classes.map(name => make("option", { value: name }, name)));
  if (network.positive) $("target").value = network.positive;
  $("layer").replaceChildren(...network.rows.map((row, i) => make("option", { value: i, selected: i === selected }, `${row.name}, ${say(`kind.${row.kind}`)}, ${shapeOf(row)}`)));
}

function mark(i) {
  for (const one of document.querySelectorAll("#drawing [data-row], #layers [data-row]")) {
    one.classList.toggle("marked", Number(one.dataset.row) === i);
    one.querySelector("button")?.setAttribute("aria-pressed", String(Number(one.dataset.row) === marked));
  }
  const row = drawn.rows[i];
  const sum = row.kind === "convolution" ? say("sum.convolution", { kernel: row.kernel, inputs: whole(row.inputs), outputs: whole(row.output[0]), parameters: whole(row.parameters) })
    : row.kind === "linear" ? say("sum.linear", { inputs: whole(row.inputs), outputs: whole(row.output[0]), parameters: whole(row.parameters) }) : say("sum.none");
  const after = row.kernel && row.output.length === 3 ? say("size", { kernel: row.kernel, stride: row.stride, padding: row.padding, side: row.output[1] }) : "";
  $("layer-told").textContent = `${row.name}: ${sum} ${after} ${row.field ? say("sees", { field: row.field, jump: row.jump }) : say("sees_all")}`;
}

/** A layer of the drawing; where that network is looked into, its maps are shown. */
function choose(i) {
  marked = i;
  mark(i);
  if (drawnKey === of && network.trained) select(i);
}

function select(i) {
  selected = i;
  $("layer").value = i;
  return attempt(showMaps);
}

// ---- the image, as the network takes it

async function openPicture() {
  const answer = await ask(`/vgg16/input?${query({ of, picture })}`);
  input = { side: Number(answer.headers.get("x-size")), pixels: new Uint8Array(await answer.arrayBuffer()) };
  corner = [0, 1].map(() => Math.round((input.side - PATCH) / 2));
  overlay = null;
  square = null;
  $("method").value = "";
  drawPatchPicture();
  convolution();
  if (network.trained) await showMaps();
  if (network.answers) await answerIt();
}

/** The image on a canvas of its own size, and over it what `more(context, k)` draws, k pixels of the canvas for one of the image. */
function picturedOn(canvas, more) {
  const k = Math.max(1, Math.round(448 / input.side));
  canvas.width = canvas.height = input.side * k;
  const context = canvas.getContext("2d"), image = context.createImageData(input.side, input.side);
  input.pixels.forEach((value, i) => { image.data.set([value, value, value, 255], 4 * i); });
  const small = document.createElement("canvas");
  small.width = small.height = input.side;
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  more(context, k);
}

// ---- a convolution by hand

function drawPatchPicture() {
  picturedOn($("patch-picture"), (context, k) => frame(context, corner[1] * k, corner[0] * k, PATCH * k));
}

function frame(context, x, y, width, height = width) {
  const line = Math.max(2, context.canvas.width / 150);
  context.lineWidth = line * 2;
  context.strokeStyle = "rgb(0 0 0 / .75)";
  context.strokeRect(x, y, width, height);
  context.lineWidth = line;
  context.strokeStyle = `rgb(${parts("series-1")})`;
  context.strokeRect(x, y, width, height);
}

const patch = () => Array.from({ length: PATCH }, (_, j) => Array.from({ length: PATCH }, (_, i) => input.pixels[(corner[0] + j) * input.side + corner[1] + i] / 255));
const told = value => (Math.abs(value) < .005 ? 0 : value).toFixed(2).replace("-", "−");

function cell(value, grey, classes = "") {
  const one = make(`span.cell${classes}`, {}, told(value));
  const level = Math.round(255 * Math.min(Math.max(grey, 0), 1));
  one.style.background = `rgb(${level} ${level} ${level})`;
  one.style.color = level > 117 ? "#000" : "#fff";
  return one;
}

function convolution() {
  const stride = Number($("stride").value), padding = Number($("padding").value), values = patch(), around = padded(values, padding);
  const outcome = convolve(values, filter, stride, padding), high = Math.max(...outcome.flat().map(Math.abs), 1e-6);
  place = [Math.min(place[0], outcome.length - 1), Math.min(place[1], outcome[0].length - 1)];
  const [row, column] = place, found = step(values, filter, stride, padding, row, column);
  const grid = (id, rows, made) => {
    $(id).style.gridTemplateColumns = `repeat(${rows[0].length}, 1fr)`;
    $(id).replaceChildren(...rows.flatMap((line, j) => line.map((value, i) => made(value, j, i))));
  };
  grid("conv-in", around, (value, j, i) => {
    const outside = j < padding || i < padding || j >= padding + PATCH || i >= padding + PATCH;
    const below = j >= row * stride && j < row * stride + 3 && i >= column * stride && i < column * stride + 3;
    return cell(value, value, `${outside ? ".outside" : ""}${below ? ".below" : ""}`);
  });
  grid("conv-out", outcome, (value, j, i) => {
    const one = cell(value, .5 + value / high / 2, j === row && i === column ? ".here" : "");
    one.addEventListener("pointerenter", () => { place = [j, i]; convolution(); });
    return one;
  });
  $("products").replaceChildren(...found.below.flatMap((line, j) => line.map((value, i) =>
    make("span.product", {}, make("span", {}, told(value)), " × ", make("b", {}, told(filter[j][i])), " = ", make("span", {}, told(found.products[j][i]))))));
  $("sum").textContent = say("sum", { sum: told(found.sum), relu: told(Math.max(found.sum, 0)) });
  $("side").textContent = say("side", { side: PATCH, padding, stride, after: sideAfter(PATCH, 3, stride, padding) });
  $("conv-out").setAttribute("aria-label", say("output_cell", { row: row + 1, column: column + 1, sum: told(found.sum) }));
  document.querySelectorAll("#filter input").forEach((field, i) => {
    const value = filter[Math.floor(i / 3)][i % 3];
    if (document.activeElement !== field) field.value = Number(value.toFixed(2));
  });
}

for (const id of ["stride", "padding"]) $(id).addEventListener("input", convolution);
$("filter").append(...Array.from({ length: 9 }, (_, i) => make("input", {
  type: "number", step: .1, "aria-label": say("weight", { row: Math.floor(i / 3) + 1, column: i % 3 + 1 }),
  oninput: event => { filter[Math.floor(i / 3)][i % 3] = event.target.valueAsNumber || 0; $("filter-of").value = ""; convolution(); },
})));
$("filter-of").addEventListener("input", event => {
  const learnt = event.target.value.match(/^learnt:(\d+)$/);
  const rows = learnt ? learntFilters[learnt[1]] : FILTERS[event.target.value];
  if (rows) { filter = rows.map(row => [...row]); convolution(); }
});
$("conv-out").addEventListener("keydown", event => {
  const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!move) return;
  event.preventDefault();
  const side = sideAfter(PATCH, 3, Number($("stride").value), Number($("padding").value));
  place = place.map((at, k) => Math.min(Math.max(at + move[k], 0), side - 1));
  convolution();
});
const moveCorner = event => {
  const box = $("patch-picture").getBoundingClientRect();
  corner = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width].map(part => Math.min(Math.max(Math.round(part * input.side - PATCH / 2), 0), input.side - PATCH));
  drawPatchPicture();
  convolution();
};
dragged($("patch-picture"), moveCorner);
arrows($("patch-picture"), (rows, columns) => {
  corner = [corner[0] + rows, corner[1] + columns].map(at => Math.min(Math.max(at, 0), input.side - PATCH));
  drawPatchPicture();
  convolution();
});

function dragged(canvas, moved) {
  canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); moved(event); });
  canvas.addEventListener("pointermove", event => { if (event.buttons) moved(event); });
}

function arrows(canvas, moved) {
  canvas.addEventListener("keydown", event => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    moved(...move);
  });
}

// ---- feature maps, filters, what a unit sees

let learntFilters = [];

async function showMaps() {
  const row = network.rows[selected], asked = [of, picture, row.name].join();
  showMaps.asked = asked;
  const bytes = await (await ask(`/vgg16/maps?${query({ of, picture, layer: row.name })}`)).arrayBuffer();
  if (showMaps.asked !== asked) return;
  const length = new DataView(bytes).getUint32(0, true), about = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  maps = { ...about, row, pixels: new Uint8Array(bytes, 4 + length) };
  if (row === network.rows.find(one => one.kind === "convolution")) offerLearnt(about.filters);
  const [count, height, width] = maps.shape;
  $("maps-told").textContent = say("maps_told", { layer: row.shown, shown: whole(count), total: whole(maps.total), silent: whole(maps.silent), shape: shapeOf(row) });
  const flat = height === 1 && row.output.length === 1;
  $("maps").classList.toggle("flat", flat);
  $("maps").replaceChildren(...Array.from({ length: count }, (_, k) => {
    const canvas = make("canvas", { width, height, title: say("channel", { channel: maps.channels[k], peak: number(maps.peaks[k], 2) }) });
    const context = canvas.getContext("2d"), image = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) image.data.set([...Array(3).fill(maps.pixels[k * width * height + i]), 255], 4 * i);
    context.putImageData(image, 0, 0);
    canvas.addEventListener("pointermove", event => point(canvas, k, event));
    canvas.addEventListener("pointerleave", () => drawSight(null));
    canvas.addEventListener("pointerdown", event => point(canvas, k, event));
    return canvas;
  }));
  $("filters").hidden = !maps.filters.length;
  $("filter-sheet").replaceChildren(...maps.filters.map((rows, k) => {
    const side = rows.length, canvas = make("canvas", { width: rows[0].length, height: side, title: say("channel", { channel: maps.channels[k], peak: number(maps.peaks[k], 2) }) });
    const context = canvas.getContext("2d"), image = context.createImageData(rows[0].length, side), most = Math.max(...rows.flat().map(Math.abs), 1e-9);
    const [up, down, middle] = ["series-1", "series-0", "raised"].map(parts);
    rows.flat().forEach((value, i) => {
      const ink = value > 0 ? up : down, deep = Math.abs(value) / most;
      image.data.set([...[0, 1, 2].map(c => middle[c] + (ink[c] - middle[c]) * deep), 255], 4 * i);
    });
    context.putImageData(image, 0, 0);
    return canvas;
  }));
  $("unit").max = Math.max(0, row.output.length === 3 ? row.output[1] ** 2 - 1 : 0);
  $("unit").disabled = row.output.length !== 3;
  $("unit").value = row.output.length === 3 ? Math.floor(row.output[1] / 2) * row.output[2] + Math.floor(row.output[2] / 2) : 0;
  drawSight(null);
}

function offerLearnt(filters) {
  learntFilters = filters.slice(0, 12);
  $("learnt").replaceChildren(...learntFilters.map((_, k) => make("option", { value: `learnt:${k}` }, say("learnt", { number: k + 1 }))));
  $("learnt").hidden = !learntFilters.length;
}

function point(canvas, k, event) {
  const { row } = maps, box = canvas.getBoundingClientRect();
  if (row.output.length !== 3) return drawSight({ all: true, k });
  const at = (part, side) => Math.min(Math.floor(part * side), side - 1);
  drawSight({ k, row: at((event.clientY - box.top) / box.height, row.output[1]), column: at((event.clientX - box.left) / box.width, row.output[2]) });
}

/** The receptive field of a unit on the image. */
function drawSight(unit) {
  const { row } = maps;
  if (unit === null && row.output.length === 3 && $("unit") === document.activeElement) {
    unit = { row: Math.floor($("unit").valueAsNumber / row.output[2]), column: $("unit").valueAsNumber % row.output[2] };
  }
  picturedOn($("sight"), (context, k) => {
    if (!unit) return;
    if (unit.all || row.field === null) return frame(context, 1, 1, input.side * k - 2);
    const top = row.start + unit.row * row.jump, left = row.start + unit.column * row.jump;
    context.fillStyle = "rgb(0 0 0 / .55)";
    context.beginPath();
    context.rect(0, 0, input.side * k, input.side * k);
    context.rect(left * k, top * k, row.field * k, row.field * k);
    context.fill("evenodd");
    frame(context, left * k, top * k, row.field * k);
  });
  $("sight-told").textContent = !unit ? say("sight_none") : unit.all || row.field === null ? say("sight_all")
    : say("sight", { row: unit.row + 1, column: unit.column + 1, field: row.field, padding: outside(unit, row) ? say("sight_padding") : "" });
}

const outside = (unit, row) => [unit.row, unit.column].some(at => row.start + at * row.jump < 0 || row.start + at * row.jump + row.field > input.side);
$("unit").addEventListener("input", () => drawSight(null));
$("unit").addEventListener("focus", () => drawSight(null));

// ---- what the decision rests on

let waiting = false, again = false;

async function answerIt() {
  if (waiting) { again = true; return; }
  waiting = true;
  try {
    const found = await send("/vgg16/answer", { of, picture, squares: square ? [square] : [] });
    if (!square || !answered) answered = square ? answered : found;
    showAnswer(found);
  } finally {
    waiting = false;
    if (again) { again = false; attempt(answerIt); }
  }
}

function showAnswer(found) {
  $("answer").replaceChildren(...Object.entries(found.probabilities).map(([name, p]) => {
    const bar = make("i"), before = answered?.probabilities[name];
    bar.style.width = `${100 * p}%`;
    return make("tr", {}, make("th", { scope: "row" }, name, found.decision === name ? make("span.badge", {}, say("decision_badge")) : null), make("td.gauge", {}, make("span.meter", {}, bar)), make("td.n", {}, percent(p)),
      make("td.n", {}, square && before !== undefined ? `${p >= before ? "+" : "−"}${number(100 * Math.abs(p - before), 1)}` : ""));
  }));
  drawCover();
}

function drawCover() {
  picturedOn($("cover"), (context, k) => {
    if (overlay) {
      const image = new ImageData(input.side, input.side), strength = $("opacity").valueAsNumber;
      overlay.forEach((value, i) => { image.data.set([...heat(value / 255), 255 * strength * Math.min(1, value / 60)], 4 * i); });
      const small = document.createElement("canvas");
      small.width = small.height = input.side;
      small.getContext("2d").putImageData(image, 0, 0);
      context.imageSmoothingEnabled = true;
      context.drawImage(small, 0, 0, input.side * k, input.side * k);
    }
    if (square) {
      const size = input.side * k;
      context.fillStyle = "rgb(127 127 127)";
      context.fillRect(square.left * size, square.top * size, square.side * size, square.side * size);
      frame(context, square.left * size, square.top * size, square.side * size);
    }
  });
}

/** Dark red over orange to pale yellow: rising in lightness all along. */
const heat = value => [[80, 0, 20], [190, 30, 30], [245, 130, 40], [255, 240, 170]].reduce((found, ink, i, all) => {
  const at = value * (all.length - 1) - i;
  return at >= 0 && at <= 1 && all[i + 1] ? ink.map((c, k) => c + (all[i + 1][k] - c) * at) : found;
}, [255, 240, 170]);

const coverAt = (top, left) => {
  const side = $("cover-size").valueAsNumber;
  square = { side, top: Math.min(Math.max(top, 0), 1 - side), left: Math.min(Math.max(left, 0), 1 - side) };
  drawCover();
  attempt(answerIt);
};
dragged($("cover"), event => {
  const box = $("cover").getBoundingClientRect(), half = $("cover-size").valueAsNumber / 2;
  coverAt((event.clientY - box.top) / box.height - half, (event.clientX - box.left) / box.width - half);
});
arrows($("cover"), (rows, columns) => coverAt((square?.top ?? .4) + rows * .03, (square?.left ?? .4) + columns * .03));
$("cover-size").addEventListener("input", () => {
  $("cover-told").textContent = percent($("cover-size").valueAsNumber);
  if (square) coverAt(square.top, square.left);
});
$("uncover").addEventListener("click", () => { square = null; attempt(answerIt); });

async function attributed() {
  const method = $("method").value, target = $("target").value;
  overlay = null;
  if (method) {
    $("attribution-told").textContent = say("working");
    overlay = new Uint8Array(await (await ask(`/vgg16/attribution?${query({ of, picture, method, target })}`)).arrayBuffer());
  }
  $("attribution-told").textContent = method ? say("attribution_told", { target }) : "";
  drawCover();
}
for (const id of ["method", "target"]) $(id).addEventListener("input", () => attempt(attributed));
$("opacity").addEventListener("input", drawCover);
$("method").append(...given.attributions.map(name => make("option", { value: name }, name)));

// ---- Table 7

function table7(name) {
  const own = name !== "";
  const errors = value => value === null ? "–" : value.toFixed(1);
  const range = figure => figure ? `${errors(100 * figure[0])} (${errors(100 * figure[1])}–${errors(100 * figure[2])})` : "–";
  $("table7-rows").replaceChildren(...given.table7[name].map(row => make("tr", { class: row.method.startsWith("VGG") ? "vgg" : false }, make("th", { scope: "row" }, row.method, " ", make("span.quiet.small", {}, row.words)),
    ...row.published.map(value => make("td.n", {}, errors(value))), ...(own ? [make("td.n", {}, range(row.own_validation)), make("td.n", {}, range(row.own_test))] : []))));
  for (const head of document.querySelectorAll("#table7 .own")) head.hidden = !own;
  $("table7-none").hidden = own;
}
const tables = Object.keys(given.table7).filter(Boolean);
$("table7-of").replaceChildren(...[...tables, ""].map(name => make("option", { value: name }, name || say("paper_alone"))));
$("table7-of").closest("label").hidden = !tables.length;
$("table7-of").addEventListener("input", event => table7(event.target.value));
table7(tables[0] ?? "");

// ---- beginning

const named = ([key, name]) => make("option", { value: key }, key.startsWith("run:") ? say("of_run", { run: name }) : key === "vgg16" ? say("published") : say("of_weights", { name }));
$("drawn").replaceChildren(...[...given.networks].reverse().map(named));
$("network").replaceChildren(...trained.map(named));
$("network").closest("label").hidden = !trained.length;
$("picture").replaceChildren(...given.pictures.map(one => make("option", { value: one.key }, labelled(one))));
$("drawn").addEventListener("input", event => { drawnKey = event.target.value; marked = 0; attempt(openDrawn); });
$("network").addEventListener("input", event => { of = event.target.value; answered = null; attempt(async () => { await openNetwork(); await openPicture(); }); });
$("layer").addEventListener("input", event => select(Number(event.target.value)));
$("picture").addEventListener("input", event => { picture = event.target.value; answered = null; attempt(openPicture); });
$("drawing").addEventListener("mouseover", event => { const i = event.target.closest("[data-row]")?.dataset.row; if (i) mark(Number(i)); });
$("drawing").addEventListener("mouseleave", () => mark(marked));
addEventListener("themechange", () => input && attempt(openPicture));
$("cover-told").textContent = percent($("cover-size").valueAsNumber);
attempt(async () => { await openDrawn(); await openNetwork(); await openPicture(); document.body.dataset.ready = ""; });
