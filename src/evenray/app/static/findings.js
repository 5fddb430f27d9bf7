// What the audit found, with its images; what is checked off goes into the file of exclusions of the run.

import { attempt, make, number, say, send, tell } from "./frame.js";
import { fill, sketch } from "./sketches.js";

const SHOWN = 24;

export class FindingsPanel {
  constructor(place, { run, cases, found, look, only, changed }) {
    Object.assign(this, { place, run, cases, found, look, only, changed });
    this.excluded = { ...found.excluded };
    this.build();
  }

  build() {
    const { found } = this, proposed = Object.keys(found.proposed).length;
    this.saved = make("button.primary", { type: "button", onclick: () => attempt(() => this.save()) }, say("exclusions.save"));
    this.state = make("span");
    const propose = make("button", { type: "button", onclick: () => this.take(found.proposed) }, say("exclusions.propose", { count: number(proposed) }));
    const clear = make("button", { type: "button", onclick: () => this.take(null) }, say("exclusions.clear"));
    this.place.replaceChildren(
      make("div.panel.row.sticky", {}, this.state, make("span.grow"), proposed ? propose : null, clear, this.saved),
      ...(found.findings.length ? found.findings.map(each => this.article(each)) : [make("p.empty", {}, say("findings.nothing"))]));
    this.mark();
    attempt(() => fill(this.place, `/data/${encodeURIComponent(this.run)}/thumbnails`));
  }

  article(finding) {
    const groups = finding.groups.length ? finding.groups : finding.rows.length ? [finding.rows] : [];
    let left = SHOWN;
    const shown = groups.flatMap(group => {
      const some = group.slice(0, left);
      left -= some.length;
      return some.length ? [make("ul.tiles", {}, ...some.map(row => this.tile(row, finding)))] : [];
    });
    return make(`article.panel.finding`, {},
      make("h3", {}, make(`span.badge.${finding.severity}`, {}, say(`severity.${finding.severity}`)), " ", finding.title,
        finding.rows.length ? make("span.quiet", {}, ` ${say("findings.images", { count: number(finding.rows.length) })}`) : null),
      make("p.small", {}, finding.advice), ...shown,
      finding.rows.length ? make("div.row", {},
        make("button", { type: "button", onclick: () => this.only(finding) }, say("findings.show")),
        make("button", { type: "button", onclick: () => this.all(finding) }, say("findings.all", { count: number(finding.rows.length) }))) : null);
  }

  tile(row, finding) {
    const name = this.cases.case[row];
    const box = make("input", { type: "checkbox", "data-case": name, onchange: event => this.put(name, event.target.checked && finding.title) });
    return make("li", {},
      make("button.plain", { type: "button", onclick: () => this.look(row, finding), "aria-label": say("findings.open", { case: name }) }, sketch(row)),
      make("label.check.small", {}, box, name.replace("case-", "")));
  }

  put(name, reason) {
    if (reason) this.excluded[name] = reason;
    else delete this.excluded[name];
    this.mark();
  }

  all(finding) {
    for (const row of finding.rows) this.excluded[this.cases.case[row]] ??= finding.title;
    this.mark();
  }

  take(cases) {
    this.excluded = cases === null ? {} : { ...this.excluded, ...cases };
    this.mark();
  }

  mark() {
    for (const box of this.place.querySelectorAll("[data-case]")) box.checked = box.dataset.case in this.excluded;
    const same = JSON.stringify(Object.entries(this.excluded).sort()) === JSON.stringify(Object.entries(this.found.excluded).sort());
    this.state.textContent = say(same ? "exclusions.saved" : "exclusions.unsaved", { count: number(Object.keys(this.excluded).length) });
    this.saved.disabled = same;
    this.changed(this.excluded);
  }

  async save() {
    const before = this.found.excluded;
    const path = `/data/${encodeURIComponent(this.run)}/exclusions`;
    const keep = async excluded => {
      await send(path, { excluded }, "PUT");
      this.found.excluded = { ...excluded };
      this.excluded = { ...excluded };
      this.mark();
    };
    await keep(this.excluded);
    tell(say("exclusions.told"), { action: [say("undo"), () => attempt(() => keep(before))] });
  }
}
