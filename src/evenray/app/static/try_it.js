// The page Try it: a card for every image that is dropped. Files go to the server one by one, and stay nowhere.

import { ask, attempt, colour, given, make, number, redraw, say } from "./frame.js";
import { heatCanvas, heatColour, maskCanvas } from "./overlays.js";

const results = document.getElementById("results"), drop = document.getElementById("drop"), files = document.getElementById("files");
const share = p => (p < 0.001 && p > 0 ? "<0.001" : p > 0.999 && p < 1 ? ">0.999" : p.toFixed(3));

document.getElementById("run")?.addEventListener("change", event => { location.href = `/try-it?run=${encodeURIComponent(event.target.value)}`; });

files?.addEventListener("change", () => { attempt(() => take([...files.files])); files.value = ""; });
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) drop?.addEventListener(kind, event => {
  event.preventDefault();
  drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
  if (kind === "drop") attempt(() => take([...event.dataTransfer.files]));
});

async function take(sent) {
  for (const file of sent) {
    const card = make("article.panel.tried", {}, make("h2", {}, file.name), make("progress", { "aria-label": say("working") }));
    results.prepend(card);
    try {
      const body = new FormData();
      body.append("file", file);
      const said = await (await ask(`/try-it/${encodeURIComponent(given.run)}`, { method: "POST", body })).json();
      card.replaceChildren(...await shown(file.name, said));
    } catch (problem) {
      card.replaceChildren(make("h2", {}, file.name), make("p.notice.error", {}, problem.message));
    }
  }
}

async function shown(name, said) {
  const { predicted } = said, answer = predicted.answers[0];
  const strange = answer.out_of_distribution;
  return [
    make("div.row", {}, make("h2", {}, name), make("span.grow"), make("button.plain", { type: "button", "aria-label": say("close"), onclick: event => event.target.closest("article").remove() }, "×")),
    make("div.answer", {}, await look(said, answer), make("div", {},
      strange ? make("p.notice.error", {}, make("strong", {}, say("unlike")), ` ${say("unlike_why", { why: answer.why })}`) : null,
      ...told(said, answer),
      strange === false ? make("p.quiet.small", {}, say("like", { share: number(100 * predicted.false_flags, 1) })) : null,
      strange === null ? make("p.quiet.small", {}, say("unchecked")) : null,
      predicted.answers.length > 1 ? make("p.quiet.small", {}, say("first", { count: number(predicted.answers.length) })) : null,
      make("p.notice.warning", {}, say("notice")))),
  ];
}

/** The decision and the probabilities; of masks areas, of boxes how many. */
function told({ predicted, operating_point: point }, answer) {
  const { task, classes, positive } = predicted;
  const bar = (text, p, at) => {
    const fill = make("i");
    fill.style.width = `${100 * p}%`;
    const track = make("span.track", { "aria-hidden": "true" }, fill);
    if (at !== null && at !== undefined) {
      const mark = make("u");
      mark.style.left = `${100 * at}%`;
      track.append(mark);
    }
    return make("li", {}, make("span", {}, text), track, make("b", {}, share(p)));
  };
  if (task === "classify") {
    const note = point === null ? say("likeliest") : say("point", { positive, threshold: number(point) });
    return [make("p.decision", {}, say("decision"), " ", make("strong", {}, answer.decision)),
      make("ul.probabilities", {}, ...classes.map(name => bar(name, answer[`p_${name}`], name === positive ? point : null))), make("p.quiet.small", {}, note),
      answer.set === null || answer.set === undefined ? null
        : make("p.small", {}, say("set", { classes: answer.set.split("|").join(", "), coverage: number(100 * predicted.coverage, 0) }))];
  }
  if (task === "tag") {
    const present = classes.filter(name => answer[`decision_${name}`] === "present");
    return [make("p.decision", {}, say("decision"), " ", make("strong", {}, present.join(", ") || say("nothing_found"))),
      make("ul.probabilities", {}, ...classes.map(name => bar(name, answer[`p_${name}`], answer[`threshold_${name}`]))), make("p.quiet.small", {}, say("points"))];
  }
  const rows = classes.map(name => (task === "segment"
    ? [name, answer[`mm2_${name}`] !== null ? `${number(answer[`mm2_${name}`], 1)} mm²` : say("pixels", { count: number(answer[`pixels_${name}`]) })]
    : [name, say("boxes", { count: number(answer[`boxes_${name}`]), highest: answer[`highest_${name}`] === null ? "–" : share(answer[`highest_${name}`]) })]));
  return [make("dl.facts", {}, ...rows.map(([term, text]) => make("div", {}, make("dt", {}, term), make("dd", {}, text))))];
}

/** The image with what was found in it, or where the network looked, over it. */
async function look(said, answer) {
  const bitmap = await createImageBitmap(blob(said.png));
  const canvas = make("canvas", { width: said.width, height: said.height, role: "img", "aria-label": say("picture") });
  const layer = said.heat ? heatCanvas({ ...said.heat, bytes: bytes(said.heat.content) }) : answer.mask_png ? await maskOf(answer.mask_png) : null;
  const slider = make("input", { type: "range", min: 0, max: 100, value: 55, oninput: () => draw() });
  const draw = () => {
    const context = canvas.getContext("2d");
    context.globalAlpha = 1;
    context.drawImage(bitmap, 0, 0);
    context.globalAlpha = slider.value / 100;
    if (layer) context.drawImage(layer, 0, 0, said.width, said.height);
    context.lineWidth = 2;
    context.strokeStyle = context.fillStyle = colour("mark-called");
    for (const box of answer.boxes ?? []) {
      const [x0, y0, x1, y1] = [box.x0, box.y0, box.x1, box.y1].map(at => at * said.scale);
      context.strokeRect(x0, y0, x1 - x0, y1 - y0);
      context.fillText(`${box.name} ${share(box.score)}`, x0 + 2, y0 - 3);
    }
  };
  draw();
  redraw(canvas, draw);
  const bar = make("canvas.colourbar", { width: 256, height: 1, "aria-hidden": "true" }), context = bar.getContext("2d");
  for (let n = 0; n < 256; n++) { context.fillStyle = `rgb(${heatColour(0.25 + 0.75 * n / 255).join()})`; context.fillRect(n, 0, 1, 1); }
  const over = layer || answer.boxes?.length;
  return make("figure", {}, canvas,
    said.heat ? make("figcaption", {}, say("heat", { output: said.heat.output })) : null,
    said.heat ? make("div.scale", {}, bar, make("span", {}, "0"), make("span", {}, say("viewer.most"))) : null,
    over ? make("label.field", {}, make("span", {}, say("viewer.opacity")), slider) : null);
}

const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
const blob = text => new Blob([bytes(text)], { type: "image/png" });

/** A mask from a PNG whose grey levels are classes. */
async function maskOf(text) {
  const bitmap = await createImageBitmap(blob(text), { colorSpaceConversion: "none" });
  const canvas = make("canvas", { width: bitmap.width, height: bitmap.height }), context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const classes = Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
  return maskCanvas({ rows: bitmap.height, columns: bitmap.width, bytes: classes }, "mark-called");
}
