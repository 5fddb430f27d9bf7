// The balance bench: one sick person among five hundred, a toy that learns under each remedy, and the user's own runs.

import { attempt, colour, get, make, number, redraw, say } from "./frame.js";
import { line, parts, ready } from "./drawing.js";
import { calls, population, rates } from "./people.js";
import { BATCH, Learner, REMEDIES, disagreement, loss, sample, sigmoid, truth } from "./toy.js";

const $ = id => document.getElementById(id);
const percent = (value, decimals = 1) => Number.isFinite(value) ? `${number(100 * value, decimals)} %` : "–";
const dot = (context, x, y, radius, ink) => { context.fillStyle = ink; context.beginPath(); context.arc(x, y, radius, 0, 7); context.fill(); };

// ---- everybody a dot

const crowd = $("crowd");
let people = null;

/** The slider goes evenly over the powers: 1 of 501 at its left end, every second person at its right. */
const share = () => Math.exp(Math.log(1 / 501) + (Math.log(.5) - Math.log(1 / 501)) * $("prevalence").valueAsNumber);
const threshold = () => $("threshold").valueAsNumber;

function meet() {
  const count = Number($("people").value), sick = Math.max(1, Math.round(count * share()));
  people = population(count, sick, $("auroc").valueAsNumber);
  $("prevalence-told").textContent = say("one_in", { healthy: number(count / sick - 1, 0) });
  $("auroc-told").textContent = number($("auroc").valueAsNumber, 2);
  told();
}

function told() {
  $("threshold-told").textContent = number(threshold(), 2);
  const mine = calls(people, threshold()), never = calls(people, Infinity);
  for (const [name, found] of [["mine", mine], ["never", never]]) {
    const all = { ...found, ...rates(found) };
    for (const cell of document.querySelectorAll(`#calls [data-of=${name}]`)) {
      const { figure } = cell.dataset;
      cell.textContent = ["tp", "fn", "fp", "tn"].includes(figure) ? number(all[figure]) : percent(all[figure], figure === "accuracy" ? 2 : 1);
    }
  }
  const sick = mine.tp + mine.fn, total = people.ill.length;
  $("paradox").textContent = say(sick === 1 ? "paradox_one" : "paradox", { right: number(total - sick), total: number(total), sick: number(sick), share: percent((total - sick) / total, 2) });
  $("found").textContent = say(sick > 1 ? "found" : mine.tp ? "found_one" : "found_none", { called: number(mine.tp + mine.fp), tp: number(mine.tp), sick: number(sick) });
  drawCrowd();
}

function drawCrowd() {
  if (!people) return;
  const { context, width, height } = ready(crowd), low = -3.6, high = 6, floor = height - 22;
  const x = score => 8 + (Math.min(Math.max(score, low), high) - low) / (high - low) * (width - 16);
  const cut = x(threshold());
  context.fillStyle = colour("wash");
  context.fillRect(cut, 0, width - cut, floor);
  // Dots stacked in columns by score, the sick last, so that nobody covers them.
  const ranks = Array.from(people.score, (_, i) => i).sort((i, j) => people.score[i] - people.score[j]);
  const radius = size(people.score, x, floor - 12), step = 2 * radius, stacks = new Map(), later = [];
  for (const i of ranks) {
    const column = Math.round(x(people.score[i]) / step), tall = stacks.get(column) ?? 0;
    stacks.set(column, tall + 1);
    const at = [column * step, floor - radius - 1 - tall * step];
    if (people.ill[i]) later.push(at);
    else dot(context, ...at, radius * .86, colour("healthy"));
  }
  for (const at of later) dot(context, ...at, Math.max(radius, 3.2) + 2, colour("paper"));
  for (const at of later) dot(context, ...at, Math.max(radius, 3.2), colour("sick"));
  context.fillStyle = colour("edge");
  context.fillRect(0, floor, width, 1);
  context.fillStyle = colour("ink");
  context.fillRect(cut - 1, 0, 2, floor);
  context.font = `13px ${getComputedStyle(crowd).fontFamily}`;
  context.fillStyle = colour("muted");
  context.textAlign = "right";
  context.fillText(`${say("called_healthy")} ←`, Math.max(cut - 8, context.measureText(`${say("called_healthy")} ←`).width + 4), height - 6);
  context.textAlign = "left";
  context.fillText(`→ ${say("called_sick")}`, Math.min(cut + 8, width - context.measureText(`→ ${say("called_sick")}`).width - 4), height - 6);
}

/** The largest radius at which the highest stack of dots still fits. */
function size(score, x, room) {
  for (let radius = 6; radius > 1; radius -= .25) {
    const stacks = new Map();
    for (const one of score) {
      const column = Math.round(x(one) / (2 * radius));
      stacks.set(column, (stacks.get(column) ?? 0) + 1);
    }
    if (Math.max(...stacks.values()) * 2 * radius < room) return radius;
  }
  return 1;
}

for (const id of ["people", "prevalence", "auroc"]) $(id).addEventListener("input", meet);
$("threshold").addEventListener("input", told);
crowd.addEventListener("pointerdown", event => { crowd.setPointerCapture(event.pointerId); drag(event); });
crowd.addEventListener("pointermove", event => { if (event.buttons) drag(event); });
function drag(event) {
  const box = crowd.getBoundingClientRect();
  $("threshold").value = -3.6 + (event.clientX - box.left - 8) / (box.width - 16) * 9.6;
  told();
}
redraw(crowd, drawCrowd);

// ---- the toy

const HEALTHY = 1500, RESOLUTION = 56, VIEW = { x: [-3.6, 3.2], y: [-3.4, 3] };
const panels = Object.fromEntries(REMEDIES.map(name => [name, {
  field: $(`field-${name}`), batch: $(`batch-${name}`), curve: $(`loss-${name}`), facts: $(`facts-${name}`),
}]));
let data, test, learners = [], running = false;

const ratio = () => Number($("ratio").value);
const alpha = () => $("alpha").valueAsNumber;
const corrected = () => $("corrected").checked;

function begin() {
  const sick = Math.round(HEALTHY / ratio());
  data = sample(HEALTHY, sick, 11);
  test = sample(HEALTHY * 2, sick * 2, 12);
  learners = REMEDIES.map(name => new Learner(name, data, { alpha: alpha(), seed: 3 }));
  for (const one of learners) one.step();
  drawToy();
}

function drawToy() {
  if (!learners.length) return;
  $("alpha-told").textContent = number(alpha(), 3);
  for (const one of learners) {
    const { field, batch, curve, facts } = panels[one.remedy];
    drawField(field, one);
    drawBatch(batch, one);
    drawLosses(curve, one);
    const { mean, sensitivity, specificity, logLoss } = one.figures(test, corrected());
    const told = { mean: percent(mean), sensitivity: percent(sensitivity, 0), specificity: percent(specificity), logLoss: number(logLoss, 3) };
    for (const cell of facts.querySelectorAll("dd")) cell.textContent = told[cell.dataset.figure];
  }
  drawLossFormula();
  $("steps-told").textContent = say("steps", { steps: number(learners[0].steps) });
  const apart = [false, true].map(right => disagreement(learners, test, right));
  $("meet").textContent = say("meet", { before: percent(apart[0]), after: percent(apart[1]), share: percent(learners[0].share) });
  for (const [i, id] of ["apart-before", "apart-after"].entries()) $(id).style.width = `${Math.min(100 * apart[i] / .3, 100)}%`;
  for (const [i, id] of ["apart-before-told", "apart-after-told"].entries()) $(id).textContent = percent(apart[i], 2);
}

/** The probability of sick over the plane, the line where it is one half, and the true one, dashed. */
function drawField(canvas, one) {
  const { context, width, height } = ready(canvas);
  const place = (i, [low, high]) => low + (high - low) * i / (RESOLUTION - 1);
  const mine = new Float64Array(RESOLUTION ** 2), real = new Float64Array(RESOLUTION ** 2);
  const paper = parts("raised"), sick = parts("sick"), healthy = parts("healthy");
  const image = new ImageData(RESOLUTION, RESOLUTION);
  for (let j = 0; j < RESOLUTION; j++) {
    for (let i = 0; i < RESOLUTION; i++) {
      const x = place(i, VIEW.x), y = place(RESOLUTION - 1 - j, VIEW.y), at = j * RESOLUTION + i;
      mine[at] = one.logOdds(x, y, corrected());
      real[at] = truth(x, y, one.share);
      const p = sigmoid(mine[at]), ink = p > .5 ? sick : healthy, depth = Math.abs(p - .5) * .62;
      for (let c = 0; c < 3; c++) image.data[4 * at + c] = paper[c] + (ink[c] - paper[c]) * depth;
      image.data[4 * at + 3] = 255;
    }
  }
  const small = drawField.small ??= document.createElement("canvas");
  small.width = small.height = RESOLUTION;
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, width, height);
  const where = (x, y) => [(x - VIEW.x[0]) / (VIEW.x[1] - VIEW.x[0]) * width, height - (y - VIEW.y[0]) / (VIEW.y[1] - VIEW.y[0]) * height];
  const inks = [colour("healthy"), colour("sick")];
  for (const t of [0, 1]) {
    for (let i = 0; i < data.t.length; i++) if (data.t[i] === t) dot(context, ...where(data.x[i], data.y[i]), t ? 2.6 : 1.1, inks[t]);
  }
  contour(context, real, width, height, colour("ink"), 1.3, [4, 4]);
  contour(context, mine, width, height, colour("ink"), 2.6);
}

/** Marching squares at 0, each cell's crossing by linear interpolation. */
function contour(context, values, width, height, ink, thick, dash = []) {
  context.save();
  context.strokeStyle = ink;
  context.lineWidth = thick;
  context.setLineDash(dash);
  context.beginPath();
  const n = RESOLUTION, sx = width / n, sy = height / n;
  for (let j = 0; j < n - 1; j++) {
    for (let i = 0; i < n - 1; i++) {
      const [a, b, c, d] = [values[j * n + i], values[j * n + i + 1], values[(j + 1) * n + i + 1], values[(j + 1) * n + i]];
      const cross = [];
      if (a > 0 !== b > 0) cross.push([i + a / (a - b), j]);
      if (b > 0 !== c > 0) cross.push([i + 1, j + b / (b - c)]);
      if (d > 0 !== c > 0) cross.push([i + d / (d - c), j + 1]);
      if (a > 0 !== d > 0) cross.push([i, j + a / (a - d)]);
      for (let k = 0; k + 1 < cross.length; k += 2) {
        context.moveTo((cross[k][0] + .5) * sx, (cross[k][1] + .5) * sy);
        context.lineTo((cross[k + 1][0] + .5) * sx, (cross[k + 1][1] + .5) * sy);
      }
    }
  }
  context.stroke();
  context.restore();
}

/** The last batch, a dot a case, as large as it counts in the loss. */
function drawBatch(canvas, one) {
  const { context, width, height } = ready(canvas), cell = width / BATCH;
  const most = Math.max(...one.batch.map(i => one.weight(data.t[i])), 1);
  [...one.batch].sort((i, j) => data.t[i] - data.t[j]).forEach((i, k) => {
    const size = Math.sqrt(one.weight(data.t[i]) / most);
    dot(context, (k + .5) * cell, height / 2, Math.max(cell * .52 * size, 1), colour(data.t[i] ? "sick" : "healthy"));
  });
}

/** The loss of every batch, and its moving mean. */
function drawLosses(canvas, one) {
  const { context, width, height } = ready(canvas), shown = one.losses, every = Math.max(1, Math.floor(shown.length / width));
  const means = [];
  let mean = shown[0];
  shown.forEach((value, i) => { mean += Math.max(1 / (i + 1), .03) * (value - mean); if (i % every === 0) means.push(mean); });
  const high = Math.max(...means, .2) * 1.1;
  line(context, means.map(value => value / high), width, height, colour("series-2"), 1.8);
  context.fillStyle = colour("line");
  context.fillRect(0, height - 1, width, 1);
}

/** What a prediction costs for a sick and for a healthy person, as alpha weighs them. */
function drawLossFormula() {
  const { context, width, height } = ready($("loss-formula")), high = 3.2, pad = 18;
  for (const [t, ink] of [[1, "sick"], [0, "healthy"]]) {
    const values = Array.from({ length: 200 }, (_, i) => Math.min(loss(alpha(), t, Math.min(Math.max(i / 199, .002), .998)) / high, 1.05));
    line(context, values, width, height - pad, colour(ink), 2.2);
  }
  context.fillStyle = colour("edge");
  context.fillRect(0, height - pad, width, 1);
  context.fillStyle = colour("muted");
  context.textAlign = "left";
  context.fillText("y = 0", 0, height - 4);
  context.textAlign = "right";
  context.fillText("y = 1", width, height - 4);
}

function train() {
  if (!running) return;
  const pace = Number($("pace").value);
  for (const one of learners) for (let k = 0; k < pace; k++) one.step();
  drawToy();
  if (learners[0].steps >= 8000) run(false);
  else requestAnimationFrame(train);
}

function run(on) {
  running = on;
  $("run").textContent = say(on ? "pause" : "train");
  $("run").setAttribute("aria-pressed", String(on));
  if (on) requestAnimationFrame(train);
}

$("run").addEventListener("click", () => run(!running));
$("step").addEventListener("click", () => { for (const one of learners) one.step(); drawToy(); });
$("again").addEventListener("click", () => { run(false); begin(); });
$("ratio").addEventListener("input", () => { run(false); $("alpha").value = ratio() / (ratio() + 1); begin(); });
$("alpha").addEventListener("input", () => {
  // Only the weighted learner depends on alpha: it begins anew and catches up with the others.
  const old = learners.findIndex(one => one.remedy === "weighted"), steps = learners[old].steps;
  learners[old] = new Learner("weighted", data, { alpha: alpha(), seed: 3 });
  while (learners[old].steps < Math.min(steps, 2000)) learners[old].step();
  drawToy();
});
$("corrected").addEventListener("change", drawToy);
redraw($("field-none"), drawToy);

// ---- the user's own runs

const STAGES = ["raw", "corrected", "calibrated"];

function strip(canvas, run, stage) {
  const { context, width, height } = ready(canvas), floor = height - 14, k = STAGES.indexOf(stage), columns = 80;
  for (const t of [0, 1]) {
    const stacks = new Float64Array(columns), of = run.cases.filter(one => one[3] === t);
    for (const one of of) stacks[Math.min(Math.floor(one[k] * columns), columns - 1)]++;
    const most = Math.max(...stacks, 1), half = floor / 2 - 4;
    stacks.forEach((count, i) => {
      const tall = Math.sqrt(count / most) * half;
      context.fillStyle = colour(t ? "sick" : "healthy");
      if (count) context.fillRect(i / columns * width, t ? floor / 2 - tall : floor / 2 + 1, width / columns - .5, tall);
    });
  }
  context.fillStyle = colour("edge");
  context.fillRect(0, floor / 2, width, 1);
  const mark = (value, ink, dash) => {
    context.strokeStyle = colour(ink);
    context.lineWidth = 2;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(value * width, 0);
    context.lineTo(value * width, floor);
    context.stroke();
    context.setLineDash([]);
  };
  mark(run[stage], "ink", []);
  mark(run.share, "ink", [3, 3]);
  context.fillStyle = colour("muted");
  context.textAlign = "left";
  context.fillText("0", 0, height - 2);
  context.textAlign = "right";
  context.fillText("1", width, height - 2);
}

function showRun(run) {
  $("run-told").textContent = say(run.learnt === null ? "run_own" : "run_learnt", {
    balance: run.balance, contrast: run.contrast, total: number(run.total), part: say(`part.${run.part}`), positive: run.positive,
    share: percent(run.share), learnt: percent(run.learnt ?? NaN),
  });
  $("strips").replaceChildren(...STAGES.map(stage => {
    const canvas = make("canvas", { class: "strip-chart", role: "img", "aria-label": say(`stage.${stage}`) });
    const figure = make("figure", {}, make("figcaption", {}, say(`stage.${stage}`)), canvas, make("p.small.quiet", {}, say("stage_mean", { mean: percent(run[stage]), share: percent(run.share) })));
    requestAnimationFrame(() => redraw(canvas, () => strip(canvas, run, stage)));
    return figure;
  }));
}

async function ownRuns() {
  const runs = await get("/balance-bench/runs");
  $("own-none").hidden = runs.length > 0;
  $("own").hidden = runs.length === 0;
  if (!runs.length) return;
  $("run-of").replaceChildren(...runs.map((run, i) => make("option", { value: i }, `${run.name} (${run.balance})`)));
  $("run-of").addEventListener("change", event => showRun(runs[event.target.value]));
  $("run-rows").replaceChildren(...runs.map(run => make("tr", {}, make("th", { scope: "row" }, run.name), make("td", {}, make("code", {}, run.balance)),
    ...["raw", "corrected", "calibrated", "share"].map(name => make("td.n", {}, percent(run[name]))))));
  showRun(runs[0]);
  const compared = runs.find(run => run.remedies.length > 1);
  $("compared").hidden = !compared;
  if (compared) {
    $("compared-title").textContent = say("compared", { run: compared.name });
    $("compared-rows").replaceChildren(...compared.remedies.map(one => make("tr", {}, make("th", { scope: "row" }, make("code", {}, one.balance), one.chosen ? make("span.badge.good", {}, say("chosen")) : null),
      make("td", {}, make("code", {}, one.contrast)), ...["auprc", "brier", "log_loss"].map(name => make("td.n", {}, number(one[name], 3))))));
  }
}

meet();
begin();
for (const one of learners) while (one.steps < 40) one.step();
drawToy();
run(false);
attempt(ownRuns).then(() => { document.body.dataset.ready = ""; });
