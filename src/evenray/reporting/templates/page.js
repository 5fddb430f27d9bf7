"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  // Rounded, but never to 0 or 1 where the figure has not reached it.
  const number = (x, digits = 3) => {
    if (!Number.isFinite(x)) return "–";
    const text = x.toFixed(digits), step = 10 ** -digits;
    if (x <= 1e-12 || x >= 1 - 1e-12 || (Number(text) > 0 && Number(text) < 1)) return text;
    return Number(text) ? `>${(1 - step).toFixed(digits)}` : `<${step.toFixed(digits)}`;
  };
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

  // -- the threshold: everything follows from the counts at each of its steps ------------------------------------
  const source = at("operating");
  if (source) {
    const { tables, shape } = JSON.parse(source.textContent);
    const slider = at("slider"), prevalence = at("prevalence");
    let table = tables[0];

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

    const elsewhere = (sensitivity, specificity) => {
      const share = Number(prevalence.value) / 100;
      const sane = share > 0 && share < 1;
      prevalence.setAttribute("aria-invalid", String(!sane));
      const tp = share * sensitivity, fp = (1 - share) * (1 - specificity);
      const tn = (1 - share) * specificity, fn = share * (1 - sensitivity);
      at("ppv-there").textContent = sane ? number(tp / (tp + fp)) : "–";
      at("npv-there").textContent = sane ? number(tn / (tn + fn)) : "–";
      const people = share < 0.002 ? 100000 : 10000;
      const positives = Math.round(people * share), hits = Math.round(people * tp);
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
      elsewhere(tp / P, tn / N);
      if (tables.length > 1) return;
      move("movingroc", (fp / N) * shape.width, (1 - tp / P) * shape.height);
      const hit = (table.share * tp) / P, raised = ((1 - table.share) * fp) / N;  // the curve is drawn at this share
      if (hit + raised) move("movingpr", (tp / P) * shape.width, (1 - hit / (hit + raised)) * shape.height);
      const p = Math.min(Math.max(threshold, 1e-9), 1 - 1e-9);
      const odds = Math.min(Math.max(Math.log(p / (1 - p)), -shape.edge), shape.edge);
      const x = ((odds + shape.edge) / (2 * shape.edge)) * shape.width;
      move("movingfirst", x, null); move("movinglast", x, null);
    };
    const begin = () => {
      slider.max = table.thresholds.length - 1;
      slider.value = table.row;
      update();
    };
    const atHome = () => { prevalence.value = brief(100 * table.prevalence); };

    slider.addEventListener("input", update);
    prevalence.addEventListener("input", update);
    at("here").addEventListener("click", () => { atHome(); update(); });
    at("rare").addEventListener("click", () => { prevalence.value = brief(100 / 501); update(); });
    at("reset")?.addEventListener("click", begin);
    at("class")?.addEventListener("change", (event) => {
      table = tables[Number(event.target.value)];
      for (const word of document.querySelectorAll("#explorer .positive-name")) word.textContent = table.name;
      atHome();
      begin();
    });
    begin();
  }

  // -- the heat over the images ----------------------------------------------------------------------------------
  at("opacity")?.addEventListener("input", (event) => {
    document.documentElement.style.setProperty("--heat", Number(event.target.value) / 100);
  });

  // -- what a mark of a figure stands for ------------------------------------------------------------------------
  const tip = at("tip");
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest?.(".drawing .mark [aria-label]");
    const words = mark?.getAttribute("aria-label");
    tip.hidden = !words;
    if (!words) return;
    tip.textContent = words;
    const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${left}px`;
    tip.style.top = `${event.clientY + 16}px`;
  });

  // -- where the reader is ---------------------------------------------------------------------------------------
  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const a of links.values()) a.removeAttribute("aria-current");
      const link = links.get(entry.target.id);
      link.setAttribute("aria-current", "true");
      const bar = link.closest("ol");
      if (bar.scrollWidth > bar.clientWidth) bar.scrollTo({ left: link.offsetLeft - 40, behavior: "smooth" });
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const name of links.keys()) if (at(name)) watcher.observe(at(name));
})();
