// Small charts on canvases, in the colours of the page; each stands beside a table or text that says the same.

import { colour, make, number, redraw } from "./frame.js";

export const SERIES = 6;
export const series = k => colour(`series-${k % SERIES}`);

/** A canvas in device pixels with its context; (0, 0) to (width, height) are CSS pixels. */
export function sheet(canvas) {
  const { width, height } = canvas.getBoundingClientRect(), ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return { context, width, height };
}

/** Lines over a common axis: `lines` are {name, x, y}, with gaps where a y is null. Returns a figure that keeps itself drawn. */
export function lineChart({ lines, label, title = "", low = null, high = null, fill = false, xs = number, ys = number }) {
  const canvas = make("canvas.chart", { role: "img", "aria-label": label });
  const legend = make("ul.legend", {}, ...lines.map((line, k) => {
    const mark = make("i");
    mark.dataset.series = line.series ?? k;
    return make("li", {}, mark, line.name);
  }));
  const figure = make("figure", {}, title ? make("h3", {}, title) : null, canvas, lines.length > 1 || lines[0]?.name ? legend : null);
  const draw = () => {
    for (const mark of legend.querySelectorAll("i")) mark.style.background = series(+mark.dataset.series);
    const { context, width, height } = sheet(canvas);
    const all = lines.flatMap(line => line.y.filter(Number.isFinite)), xAll = lines.flatMap(line => line.x);
    if (!all.length) return;
    let [least, most] = [low ?? Math.min(...all), high ?? Math.max(...all)];
    if (least === most) [least, most] = [least - 0.5, most + 0.5];
    const [first, last] = [Math.min(...xAll), Math.max(...xAll)];
    const left = 46, right = width - 8, top = 8, bottom = height - 22;
    const X = x => left + (right - left) * (last > first ? (x - first) / (last - first) : 0.5);
    const Y = y => bottom - (bottom - top) * (y - least) / (most - least);
    context.strokeStyle = colour("line");
    context.fillStyle = colour("muted");
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (let i = 0; i <= 4; i++) {
      const y = least + (most - least) * i / 4;
      context.beginPath();
      context.moveTo(left, Y(y));
      context.lineTo(right, Y(y));
      context.stroke();
      context.fillText(ys(y), left - 6, Y(y));
    }
    context.textBaseline = "alphabetic";
    for (const [x, align] of [[first, "left"], [last, "right"]]) {
      context.textAlign = align;
      context.fillText(xs(x), X(x), height - 5);
    }
    lines.forEach((line, k) => {
      context.strokeStyle = context.fillStyle = series(line.series ?? k);
      context.lineWidth = 1.8;
      context.beginPath();
      let pen = false;
      line.x.forEach((x, i) => {
        if (!Number.isFinite(line.y[i])) { pen = false; return; }
        context[pen ? "lineTo" : "moveTo"](X(x), Y(line.y[i]));
        pen = true;
      });
      context.stroke();
      if (line.x.length < 40) line.x.forEach((x, i) => {
        if (!Number.isFinite(line.y[i])) return;
        context.beginPath();
        context.arc(X(x), Y(line.y[i]), 2.4, 0, 7);
        context.fill();
      });
      if (fill) {
        context.globalAlpha = 0.12;
        context.lineTo(X(line.x.at(-1)), bottom);
        context.lineTo(X(line.x[0]), bottom);
        context.fill();
        context.globalAlpha = 1;
      }
    });
  };
  redraw(canvas, draw);
  return figure;
}

/** Bars with their numbers: `bars` are {name, value, series, onclick}. */
export function barChart({ bars, label }) {
  const most = Math.max(1, ...bars.map(bar => bar.value)), total = bars.reduce((sum, bar) => sum + bar.value, 0) || 1;
  const list = make("ul.bars", { "aria-label": label }, ...bars.map((bar, k) => {
    const fill = make("i");
    fill.style.width = `${100 * bar.value / most}%`;
    fill.style.background = `var(--series-${(bar.series ?? k) % SERIES})`;
    const told = `${number(bar.value)} (${number(100 * bar.value / total, 1)} %)`;
    return make("li", {}, make("span", {}, bar.name), make("span.bar", { "aria-hidden": "true" }, fill), make("b", {}, told));
  }));
  return list;
}
