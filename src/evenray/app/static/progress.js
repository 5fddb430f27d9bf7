// The job of a run as it goes: stages, what is being counted, curves, and what was told.

import { lineChart } from "./charts.js";
import { make, number, say } from "./frame.js";

/** Follow a run: `shown(progress)` is called whenever something has changed. Returns a function that ends it. */
export function follow(run, shown) {
  const source = new EventSource(`/runs/${encodeURIComponent(run)}/events?lang=${document.documentElement.lang}`);
  source.onmessage = event => shown(JSON.parse(event.data));
  return () => source.close();
}

/** A list of the stages with what each is at. */
export function stages(progress) {
  return make("ol.stages", {}, ...progress.stages.map(stage => make(`li.${stage.at}`, { "aria-current": stage.at === "working" ? "step" : null },
    make("span.dot", { "aria-hidden": "true" }), say(`stage.${stage.name}`),
    make("span.small.quiet", {}, stage.at === "done" ? (stage.seconds === null ? say("stage.unchanged") : say("stage.seconds", { seconds: number(stage.seconds, 1) })) : stage.at === "working" ? say("stage.working") : ""))));
}

export function task(progress) {
  if (!progress.task) return null;
  const { text, done, total } = progress.task;
  return make("div.task", {}, make("p.small", {}, `${text} `, make("b", {}, `${number(done)} / ${number(total)}`)), make("progress", { max: Math.max(1, total), value: done, "aria-label": text }));
}

/** The curves of the training: losses together, and what validation is ranked by. */
export function curves(epochs) {
  if (!epochs.length) return [];
  const members = [...new Set(epochs.map(row => row.member ?? 1))];
  const of = (member, key) => epochs.filter(row => (row.member ?? 1) === member).map(row => row[key] ?? null);
  const title = (name, member) => (members.length > 1 ? `${name} ${member}` : name);
  const lines = (keys, names) => members.flatMap(member => keys.map((key, k) => ({ name: title(names[k], member), x: of(member, "epoch"), y: of(member, key), series: k })))
    .filter(line => line.y.some(Number.isFinite));
  const figures = Object.keys(epochs.at(-1)).filter(key => key.startsWith("validation_") && !/loss|seconds|error/.test(key)).slice(0, 3);
  const charts = [[say("curve.loss"), lines(["train_loss", "validation_loss"], [say("curve.train"), say("curve.validation")]), {}],
    [say("curve.figures"), lines(figures, figures.map(key => key.replace("validation_", "").replaceAll("_", " ").toUpperCase())), { low: 0, high: 1 }]];
  const whole = value => number(value, 0);
  return charts.filter(([, drawn]) => drawn.length).map(([name, drawn, range]) => lineChart({ lines: drawn, label: say("curve.label", { name }), title: name, xs: whole, ...range }));
}
