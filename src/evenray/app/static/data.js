// The page Data.

import { barChart, lineChart } from "./charts.js";
import { columnsPanel } from "./columns.js";
import { Filters, right } from "./filters.js";
import { FindingsPanel } from "./findings.js";
import { attempt, get, given, make, number, say, send, word } from "./frame.js";
import { Grid } from "./grid.js";
import { follow, stages, task } from "./progress.js";
import { tabs } from "./tabs.js";
import { Viewer } from "./viewer.js";

const at = id => document.getElementById(id);
const PAGE = 100;
/** A probability, which never reads 0 or 1 where it is not. */
const share = p => (p === null ? "–" : p < 0.001 && p > 0 ? "<0.001" : p > 0.999 && p < 1 ? ">0.999" : p.toFixed(3));
const address = given.run ? `/data/${encodeURIComponent(given.run)}` : "";

at("run")?.addEventListener("change", event => { location.href = event.target.value ? `/data?run=${encodeURIComponent(event.target.value)}` : "/data"; });

/** Go to the run that reads the images. */
const go = run => { location.href = `/data?run=${encodeURIComponent(run)}`; };

async function fresh() {
  at("reading").hidden = false;
  const understood = await get("/data/understood");
  columnsPanel(at("reading"), { understood, meanings: given.meanings, asked: [], button: say("columns.read"), note: null,
    read: column => attempt(async () => go((await send("/data/read", { column })).run)) });
}

/** Wait for images that are being read. */
function waiting() {
  const place = at("reading");
  place.hidden = false;
  const end = follow(given.run, progress => {
    const early = { ...progress, stages: progress.stages.filter(stage => ["scan", "audit"].includes(stage.name)) };
    const beyond = progress.state !== "running" || progress.stages.some(stage => stage.name === "split" && stage.at !== "waiting");
    const read = beyond && early.stages.every(stage => stage.at === "done");
    if (read) { end(); location.reload(); return; }
    place.replaceChildren(make("h2", {}, say("reading.title")), stages(early), ...[task(progress)].filter(Boolean),
      ...(progress.state === "running" ? [] : [make("p.notice.error", {}, progress.error || say("reading.none")),
        make("a.button", { href: `/runs?run=${encodeURIComponent(given.run)}` }, say("reading.runs"))]));
  });
}

async function shown() {
  const [cases, found, levels, understood] = await Promise.all([get(`${address}/cases`), get(`${address}/findings`), get(`${address}/grey-levels`), get(`${address}/understood`)]);
  at("content-beside").hidden = false;
  document.querySelector(".tabs").hidden = false;
  let rows = [...cases.case.keys()], excluded = found.excluded;
  const names = members => members.map(k => cases.classes[k]).join(", ") || say("none_of_these");
  const verdict = row => { const was = right(cases, row); return was === null ? "" : say(was ? "right" : "wrong"); };
  const lines = row => [
    [say("filter.class"), names(cases.members[row])], ...(cases.part[row] < 0 ? [] : [[say("filter.part"), word("part", cases.parts[cases.part[row]])]]),
    ...(cases.site[row] < 0 ? [] : [[say("filter.site"), cases.sites[cases.site[row]]]]),
    ...(cases.called[row] === null ? [] : [[say("filter.called"), `${names(cases.called[row])} (${share(cases.probability[row])}), ${verdict(row)}`]]),
    ...(cases.figure[row] === null ? [] : [[cases.figure_name.toUpperCase(), number(cases.figure[row])]]),
    ...(cases.case[row] in excluded ? [[say("filter.left_out"), excluded[cases.case[row]]]] : []),
  ];
  let listed = rows; // what the viewer goes through
  const viewer = new Viewer({ run: given.run, cases, windows: given.windows, order: () => listed, told: lines });
  const look = (row, among) => { listed = among; viewer.open(among.indexOf(row)); };
  const grid = new Grid(at("grid"), {
    address: `${address}/thumbnails`, label: say("grid.label"), shape: row => [cases.rows[row], cases.columns[row]], open: place => look(rows[place], rows),
    caption: row => {
      const marks = [...(right(cases, row) === false ? ["wrong"] : []), ...(cases.case[row] in excluded ? ["out"] : [])];
      const told = [cases.case[row], ...lines(row).map(([name, text]) => `${name}: ${text}`)].join(" · ");
      return [names(cases.members[row]), marks, told];
    },
  });
  const table = new Table(at("table"), { cases, names, verdict, look: row => look(row, rows) });
  const findings = new FindingsPanel(at("findings"), {
    run: given.run, cases, found, look: (row, finding) => look(row, finding.rows),
    only: finding => { filters.only(finding); choose("images"); }, changed: now => { excluded = now; },
  });
  const filters = new Filters(at("filters"), cases, found.findings, () => excluded, (left, some) => {
    rows = left;
    grid.show(rows);
    table.show(rows);
    charts(at("charts"), cases, levels, rows);
    at("summary").textContent = some ? say("summary.some", { shown: number(rows.length), all: number(cases.case.length) }) : say("summary.all", { all: number(cases.case.length) });
  });
  columnsPanel(at("columns"), { understood, meanings: given.meanings, asked: given.column, button: say("columns.again"), note: say(given.trained ? "columns.note_new" : "columns.note"),
    read: column => attempt(async () => go((await send(`${address}/read`, { column })).run)) });
  const choose = tabs(document.querySelector(".tabs"), name => { at("filters").hidden = name === "findings" || name === "columns"; at("content-beside").classList.toggle("alone", at("filters").hidden); });
  document.querySelector("#tab-findings .count").textContent = found.findings.length ? `${found.findings.length}` : "";
  filters.apply();
  return findings;
}

class Table {
  constructor(place, { cases, names, verdict, look }) {
    Object.assign(this, { place, cases, look });
    const said = cases.called.some(each => each !== null);
    this.columns = [
      ["case", row => cases.case[row]], ["class", row => names(cases.members[row])],
      ...(cases.parts.length ? [["part", row => (cases.part[row] < 0 ? "" : word("part", cases.parts[cases.part[row]]))]] : []),
      ...(cases.sites.length ? [["site", row => cases.sites[cases.site[row]] ?? ""]] : []),
      ...(said ? [["called", row => (cases.called[row] === null ? "" : names(cases.called[row]))], ["probability", row => cases.probability[row], true, row => share(cases.probability[row])], ["error", verdict]] : []),
      ...(cases.figure_name ? [["figure", row => cases.figure[row], true]] : []),
      ["size", row => cases.columns[row] * cases.rows[row], true, row => `${cases.columns[row]} × ${cases.rows[row]}`],
    ];
    this.sorted = null;
  }

  show(rows) {
    this.rows = this.given = rows;
    this.page = 0;
    this.draw();
  }

  sort(name, value) {
    const down = this.sorted?.name === name && !this.sorted.down;
    this.sorted = { name, down };
    const sign = down ? -1 : 1;
    this.rows = [...this.given].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      return (x === null) - (y === null) || sign * (typeof x === "number" ? x - y : String(x).localeCompare(String(y)));
    });
    this.page = 0;
    this.draw();
  }

  draw() {
    const { cases, columns, rows, page } = this, last = Math.max(0, Math.ceil(rows.length / PAGE) - 1);
    const title = name => (name === "figure" ? cases.figure_name.toUpperCase() : say(`table.${name}`));
    const head = columns.map(([name, value, numeric]) => make(numeric ? "th.n" : "th", { scope: "col", "aria-sort": this.sorted?.name === name ? (this.sorted.down ? "descending" : "ascending") : "none" },
      make("button.sort", { type: "button", onclick: () => this.sort(name, value) }, title(name), this.sorted?.name === name ? (this.sorted.down ? " ↓" : " ↑") : "")));
    const body = rows.slice(page * PAGE, (page + 1) * PAGE).map(row => make("tr", {}, ...columns.map(([name, value, numeric, text]) => (name === "case"
      ? make("th", { scope: "row" }, make("button.link", { type: "button", onclick: () => this.look(row) }, cases.case[row]))
      : make(numeric ? "td.n" : "td", {}, text ? text(row) : numeric ? number(value(row)) : value(row))))));
    const turn = (by, text) => make("button", { type: "button", disabled: page + by < 0 || page + by > last, onclick: () => { this.page += by; this.draw(); } }, text);
    this.place.replaceChildren(make("div.scroll", {}, make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body))),
      ...(last ? [make("div.row", {}, turn(-1, say("table.before")), make("span.quiet", {}, say("table.page", { page: number(page + 1), pages: number(last + 1) })), turn(1, say("table.next")))] : []));
  }
}

function charts(place, cases, levels, rows) {
  const counted = cases.classes.map((name, k) => ({ name, value: rows.reduce((sum, row) => sum + cases.members[row].includes(k), 0), series: k }));
  const figures = [make("h2", {}, say("charts.classes")), barChart({ bars: counted, label: say("charts.classes") })];
  if (levels) {
    const x = Array.from({ length: 256 }, (_, k) => k);
    const lines = Object.entries(levels.shares).map(([name, y], k) => ({ name: name || say("all"), x, y: y.map(share => 100 * share), series: k })).slice(0, 6);
    const tops = lines.flatMap(line => [...line.y].sort((a, b) => b - a).slice(2, 3)); // black borders would hide all else
    const most = Math.max(...tops) * 1.1;
    figures.push(make("h2", {}, say("charts.grey")), make("p.quiet.small", {}, say("charts.grey_note")),
      lineChart({ lines: lines.map(line => ({ ...line, y: line.y.map(value => Math.min(value, most)) })), label: say("charts.grey"), low: 0, high: most, xs: value => (value ? say("charts.white") : say("charts.black")), ys: value => `${number(value, 1)} %` }));
  }
  place.replaceChildren(...figures);
}

attempt(async () => {
  if (!given.run) { if (given.data) await fresh(); }
  else if (given.scanned) await shown();
  else waiting();
});
