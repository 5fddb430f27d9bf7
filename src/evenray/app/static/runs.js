// The page Runs: the list, a run as it goes, comparisons, and deletion that can be undone.

import { openForm } from "./form.js";
import { attempt, get, make, number, say, send, tell } from "./frame.js";
import { curves, follow, stages, task } from "./progress.js";

const at = id => document.getElementById(id);
const path = name => `/runs/${encodeURIComponent(name)}`;
const chosen = new Set();
const BADGE = { running: "live", done: "good", failed: "error", stopped: "warning", new: "" };
let watched = null, end = null;

const badge = state => make(`span.badge${BADGE[state] ? `.${BADGE[state]}` : ""}`, {}, say(`state.${state}`));

async function refresh() {
  const shelf = await get("/runs/list");
  for (const name of chosen) if (!shelf.runs.some(run => run.name === name)) chosen.delete(name);
  const focused = document.activeElement?.dataset?.key;
  at("list").replaceChildren(...(shelf.runs.length ? shelf.runs.map(card) : [make("div.empty", {}, make("p", {}, say("nothing")))]));
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  at("deleted").hidden = !shelf.deleted.length;
  at("deleted").querySelector("ul").replaceChildren(...shelf.deleted.map(name => make("li", {}, name.replace(/^\d+-/, ""), " ",
    make("button.link", { type: "button", onclick: () => attempt(() => restore(name)) }, say("restore")))));
  mark();
  return shelf;
}

function mark() {
  at("compare").disabled = chosen.size < 2;
  at("compare").textContent = chosen.size > 1 ? say("compare_some", { count: chosen.size }) : say("compare");
}

function card(run) {
  const act = (key, text, work, more = {}) => make("button", { type: "button", "data-key": `${run.name} ${key}`, onclick: () => attempt(work), ...more }, text);
  const pick = make("input", { type: "checkbox", "data-key": `${run.name} pick`, checked: chosen.has(run.name), "aria-label": say("pick", { name: run.name }),
    onchange: event => { chosen[event.target.checked ? "add" : "delete"](run.name); mark(); } });
  const images = run.images === null ? "" : say("images", { count: number(run.images) });
  const picked = Object.entries(run.chosen).map(([name, value]) => `${say(`chosen_${name}`)} ${value}`).join(", ");
  return make("article.panel.run", { "data-run": run.name },
    make("div.row", {}, run.figure ? pick : null, make("h2", {}, run.name), make("span.grow"), badge(run.state)),
    run.figure ? make("div.figure", {}, strip(run.figure), make("p", {}, run.figure.text)) : null,
    run.error ? make("p.notice.error.small", {}, run.error) : null,
    make("p.small.quiet", {}, [run.data, images, run.classes.join(", ")].filter(Boolean).join(" · ")), picked ? make("p.small.quiet", {}, say("chosen", { chosen: picked })) : null,
    make("div.row", {},
      act("watch", say("watch"), () => watch(run.name)),
      run.state === "running" ? act("stop", say("stop"), async () => { await send(`${path(run.name)}/stop`); await refresh(); })
        : run.state === "done" ? null : act("resume", say(run.state === "new" ? "begin" : "resume"), async () => { await send(`${path(run.name)}/start`); await refresh(); watch(run.name); }),
      run.report ? make("a.button", { href: `${path(run.name)}/report`, target: "_blank", rel: "noopener" }, say("report")) : null,
      make("a.button", { href: `/data?run=${encodeURIComponent(run.name)}` }, say("data")),
      act("like", say("like"), () => form(run.name)),
      act("delete", say("delete"), () => remove(run.name), { class: "danger", disabled: run.state === "running" })));
}

/** A figure on its range: the interval as a bar, the value as a dot, the baseline as a line. */
function strip({ value, low, high, baseline }) {
  const line = make("span.strip", { "aria-hidden": "true" });
  const put = (kind, left, width) => { if (left === null) return; const part = make(kind); part.style.left = `${100 * left}%`; if (width) part.style.width = `${100 * width}%`; line.append(part); };
  if (low !== null && high !== null) put("i", low, high - low);
  put("u", baseline);
  put("b", value);
  return line;
}

function watch(name) {
  end?.();
  watched = name;
  history.replaceState(null, "", `?run=${encodeURIComponent(name)}`);
  const place = at("watched"), left = make("div"), right = make("div.curves"), told = make("ul.messages"), state = make("span");
  place.hidden = false;
  place.replaceChildren(make("div.row", {}, make("h2", { id: "watched-title" }, name), state, make("span.grow"),
    make("button.plain", { type: "button", "aria-label": say("close"), onclick: () => { end(); place.hidden = true; watched = null; history.replaceState(null, "", location.pathname); } }, "×")),
    make("div.beside", {}, left, make("div", {}, right, told)));
  let drawn = "", before = null;
  end = follow(name, progress => {
    state.replaceChildren(badge(progress.state));
    left.replaceChildren(...[stages(progress), task(progress), progress.error ? make("p.notice.error", {}, progress.error) : null].filter(Boolean));
    const key = JSON.stringify(progress.epochs);
    if (key !== drawn) right.replaceChildren(...curves(progress.epochs));
    drawn = key;
    told.replaceChildren(...[...progress.told].reverse().slice(0, 12).map(each => make(`li${each.level === "info" ? "" : `.${each.level}`}`, {}, each.text)));
    if (before !== null && before !== progress.state) attempt(refresh);
    before = progress.state;
  });
  place.scrollIntoView({ block: "nearest" });
}

async function form(like) {
  await openForm(at("form"), like, {
    begun: async name => { at("form").hidden = true; await refresh(); watch(name); },
    ended: () => { at("form").hidden = true; at("new").focus(); },
  });
  at("form").scrollIntoView({ block: "start" });
}

async function remove(name) {
  const { run } = await send(path(name), {}, "DELETE");
  if (watched === name) { end(); at("watched").hidden = true; }
  await refresh();
  tell(say("deleted_one", { name }), { action: [say("undo"), () => attempt(() => restore(run))], seconds: 20 });
}

async function restore(name) {
  await send(`/runs/deleted/${encodeURIComponent(name)}/restore`);
  await refresh();
}

async function compare(metric = "") {
  const names = [...chosen].map(name => `run=${encodeURIComponent(name)}`).join("&");
  const found = await get(`/runs/compared?${names}${metric ? `&metric=${metric}` : ""}`), place = at("compared");
  const most = Math.max(0.01, ...found.rows.flatMap(row => [Math.abs(row.low ?? 0), Math.abs(row.high ?? 0)]));
  const gap = row => {
    const line = make("span.strip.middle", { "aria-hidden": "true" });
    if (row.gap === null) return null;
    const x = value => 50 + 50 * value / most;
    const bar = make("i"), dot = make("b");
    bar.style.left = `${x(row.low)}%`;
    bar.style.width = `${x(row.high) - x(row.low)}%`;
    dot.style.left = `${x(row.gap)}%`;
    line.append(bar, make("u"), dot);
    return line;
  };
  const metrics = make("select", { "aria-label": say("compared.metric"), onchange: event => attempt(() => compare(event.target.value)) },
    make("option", { value: "" }, say("compared.usual")), ...["auprc", "auroc", "brier", "sensitivity", "specificity", "dice", "map50"].map(name => make("option", { value: name, selected: name === metric }, name)));
  place.hidden = false;
  place.replaceChildren(
    make("div.row", {}, make("h2", { id: "compared-title" }, say("compared.title", { metric: found.metric })), make("span.grow"), metrics,
      make("button.plain", { type: "button", "aria-label": say("close"), onclick: () => { place.hidden = true; } }, "×")),
    make("div.scroll", {}, make("table", {}, make("thead", {}, make("tr", {}, ...["run", "value", "difference"].map(key => make("th", { scope: "col" }, say(`compared.${key}`))), make("th.wide", {}, ""), make("th.n", { scope: "col" }, "p (Holm)"))),
      make("tbody", {}, ...found.rows.map(row => make("tr", {}, make("th", { scope: "row" }, row.run, row.tied ? make("span.badge", { title: say("compared.tied") }, "=") : null),
        make("td", {}, row.value), make("td", {}, row.difference || say("compared.first")), make("td.wide", {}, gap(row)), make("td.n", {}, row.p)))))),
    make("p.small.quiet", {}, say("compared.note")));
  place.scrollIntoView({ block: "nearest" });
}

at("new").addEventListener("click", () => attempt(() => form(null)));
at("compare").addEventListener("click", () => attempt(() => compare()));
attempt(async () => {
  const shelf = await refresh();
  const asked = new URLSearchParams(location.search).get("run") ?? shelf.runs.find(run => run.state === "running")?.name;
  if (asked && shelf.runs.some(run => run.name === asked)) watch(asked);
  const contrast = new URLSearchParams(location.search).get("contrast"); // from the light bench
  if (contrast) {
    await form(null);
    at("form").querySelector("[data-setting=contrast]").value = contrast;
  }
});
