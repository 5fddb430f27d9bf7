"use strict";
// The threshold: everything follows from the counts at each of its steps.
(() => {
  const at = (id) => document.getElementById(id);
  const source = at("operating");
  if (!source) return;

  // Rounded, but never to 0 or 1 where the figure has not reached it.
  const number = (x, digits = 3) => {
    if (!Number.isFinite(x)) return "–";
    const text = x.toFixed(digits), step = 10 ** -digits;
    if (x <= 1e-12 || x >= 1 - 1e-12 || (Number(text) > 0 && Number(text) < 1)) return text;
    return Number(text) ? `>${(1 - step).toFixed(digits)}` : `<${step.toFixed(digits)}`;
  };
  const signed = (x) => (Number.isFinite(x) ? x.toFixed(3).replace(/^-0\.000$/, "0.000").replace("-", "−") : "–");
  const count = (n) => (Number.isFinite(n) ? Math.round(n).toLocaleString("en-US") : "–");
  const brief = (x) => {
    if (x > 1 && x < 1 + 1e-12) return ">1";
    let digits = 3;
    while (x < 1 && Number(x.toPrecision(digits)) >= 1) digits += 1;
    return String(Number(x.toPrecision(digits)));
  };

  // The 95 % interval of k out of n (Wilson 1927).
  const wilson = (k, n) => {
    const z = 1.959963984540054, d = n + z * z, c = (k + (z * z) / 2) / d;
    const half = (z / d) * Math.sqrt((k * (n - k)) / n + (z * z) / 4);
    return n ? `[${number(Math.max(0, c - half))}, ${number(Math.min(1, c + half))}]` : "";
  };

  const { tables, shape } = JSON.parse(source.textContent);
  const slider = at("slider"), prevalence = at("prevalence"), share = at("share");
  let table = tables[0], part = table.share;  // part: the share of positives that is believed

  // Put the marks of a named layer somewhere; null leaves that coordinate as it is.
  const move = (layer, x, y) => {
    for (const mark of document.querySelectorAll(`.drawing .${layer} > *`)) {
      const [, oldX, oldY] = /translate\(([^,]+),([^)]+)\)/.exec(mark.getAttribute("transform"));
      mark.setAttribute("transform", `translate(${x ?? oldX},${y ?? oldY})`);
    }
  };
  const shade = (id, n, of) => {
    at(id).textContent = count(n);
    at(id).parentElement.style.setProperty("--share", of ? n / of : 0);
  };
  const show = (name, k, n) => {
    at(name).textContent = number(k / n);
    at(`${name}-interval`).textContent = wilson(k, n);
  };
  // True positives less false ones at the odds of the threshold; who flags nobody gains nothing (Vickers & Elkin 2006).
  const benefit = (hits, alarms, threshold) => {
    if (!alarms) return hits;
    return threshold < 1 ? hits - (alarms * threshold) / (1 - threshold) : NaN;
  };

  const there = (sensitivity, specificity, threshold) => {
    const sane = part > 0 && part < 1;
    prevalence.setAttribute("aria-invalid", String(!sane));
    const tp = part * sensitivity, fp = (1 - part) * (1 - specificity);
    const tn = (1 - part) * specificity, fn = part * (1 - sensitivity);
    const told = {
      sensitivity: number(sensitivity), specificity: number(specificity), ppv: number(tp / (tp + fp)), npv: number(tn / (tn + fn)),
      net_benefit: signed(benefit(tp, fp, threshold)), treat_all: signed(benefit(part, 1 - part, threshold)),
    };
    for (const [name, words] of Object.entries(told)) at(`${name}-there`).textContent = sane ? words : "–";
    const people = part < 0.002 ? 100000 : 10000;
    const positives = Math.round(people * part), hits = Math.round(people * tp);
    const words = {
      people: count(people), positives: count(positives), tp: count(hits), fn: count(positives - hits),
      negatives: count(people - positives), fp: count(people * fp), positive: table.name, negative: table.negative,
    };
    at("people").textContent = sane ? at("people").dataset.text.replace(/\{(\w+)\}/g, (_, name) => words[name]) : "";
  };

  const update = () => {
    const row = Number(slider.value), threshold = table.thresholds[row];
    const tp = table.true_positives[row], fp = table.false_positives[row], P = table.positives, N = table.negatives;
    const fn = P - tp, tn = N - fp;
    at("threshold-now").textContent = brief(threshold);
    slider.setAttribute("aria-valuetext", brief(threshold));
    shade("tp", tp, P); shade("fn", fn, P); shade("fp", fp, N); shade("tn", tn, N);
    show("sensitivity", tp, P); show("specificity", tn, N); show("ppv", tp, tp + fp); show("npv", tn, tn + fn);
    at("net_benefit").textContent = signed(benefit(tp / (P + N), fp / (P + N), threshold));
    at("treat_all").textContent = signed(benefit(P / (P + N), N / (P + N), threshold));
    there(tp / P, tn / N, threshold);
    if (tables.length > 1) return;
    move("movingroc", (fp / N) * shape.width, (1 - tp / P) * shape.height);
    const hit = (table.share * tp) / P, raised = ((1 - table.share) * fp) / N;  // the curve is drawn at this share
    if (hit + raised) move("movingpr", (tp / P) * shape.width, (1 - hit / (hit + raised)) * shape.height);
    const p = Math.min(Math.max(threshold, 1e-9), 1 - 1e-9);
    const odds = Math.min(Math.max(Math.log(p / (1 - p)), -shape.edge), shape.edge);
    const x = ((odds + shape.edge) / (2 * shape.edge)) * shape.width;
    move("movingfirst", x, null); move("movinglast", x, null);
  };

  // The slider of the prevalence goes in log-odds, so that rare diseases have room; the box beside it takes any number.
  const believe = (believed, moved) => {
    part = believed;
    if (moved !== prevalence) prevalence.value = brief(100 * part);
    if (moved !== share && part > 0 && part < 1) share.value = Math.log(part / (1 - part));
    share.setAttribute("aria-valuetext", `${prevalence.value} %`);
    update();
  };
  const begin = () => {
    slider.max = table.thresholds.length - 1;
    slider.value = table.row;
    update();
  };

  slider.addEventListener("input", update);
  prevalence.addEventListener("input", () => believe(Number(prevalence.value) / 100, prevalence));
  share.addEventListener("input", () => believe(1 / (1 + Math.exp(-Number(share.value))), share));
  at("here").addEventListener("click", () => believe(table.prevalence));
  at("rare").addEventListener("click", () => believe(1 / 501));
  at("reset")?.addEventListener("click", begin);
  at("class")?.addEventListener("change", (event) => {
    table = tables[Number(event.target.value)];
    for (const word of document.querySelectorAll("#explorer .positive-name")) word.textContent = table.name;
    part = table.share;
    begin();
    believe(part);
  });
  begin();
  believe(part);
})();
