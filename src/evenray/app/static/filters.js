// Which cases are looked at: by class, part, site, finding, what the network called, and whether it was right.

import { make, number, say, word } from "./frame.js";

/** Whether the network was right about a case; null where it has not said. */
export function right(cases, row) {
  const called = cases.called[row];
  if (called === null) return null;
  const members = cases.members[row];
  return called.length === members.length && called.every(k => members.includes(k));
}

/** Builds the form; `changed(rows)` is called with the rows that are left, in order. */
export class Filters {
  constructor(form, cases, findings, excluded, changed) {
    Object.assign(this, { form, cases, findings, excluded, changed });
    const { classes, parts, sites } = cases, all = [...cases.case.keys()];
    const counted = test => all.reduce((sum, row) => sum + (test(row) ? 1 : 0), 0);
    const facet = (name, values) => ({ name, values: values.map(([text, test]) => [text, test, counted(test)]) });
    const said = all.some(row => cases.called[row] !== null);
    const facets = [
      facet("class", [...classes.map((text, k) => [text, row => cases.members[row].includes(k)]),
        ...(cases.task === "classify" ? [] : [[say("none_of_these"), row => !cases.members[row].length]])]),
      facet("part", parts.map((text, k) => [word("part", text), row => cases.part[row] === k])),
      facet("site", sites.map((text, k) => [text, row => cases.site[row] === k])),
      facet("finding", findings.map(each => { const rows = new Set(each.rows); return [each.title, row => rows.has(row)]; }).filter(([, test]) => all.some(test))),
      facet("called", said ? classes.map((text, k) => [text, row => cases.called[row]?.includes(k) ?? false]) : []),
      facet("error", said ? [[say("wrong"), row => right(cases, row) === false], [say("right"), row => right(cases, row) === true]] : []),
      facet("left_out", [[say("yes"), row => cases.case[row] in excluded()], [say("no"), row => !(cases.case[row] in excluded())]]),
    ].filter(each => each.values.length > 1 || (each.name === "finding" && each.values.length));
    this.tests = {};
    const selects = facets.map(({ name, values }) => {
      this.tests[name] = values.map(([, test]) => test);
      return make("label.field", {}, make("span", {}, say(`filter.${name}`)), make("select", { name },
        make("option", { value: "" }, say("all")),
        ...values.map(([text, , count], k) => make("option", { value: k }, name === "left_out" ? text : `${text} (${number(count)})`))));
    });
    const orders = ["data", ...(cases.probability.some(p => p !== null) ? ["high", "low", "doubtful"] : []), ...(cases.figure_name ? ["worst", "best"] : [])];
    this.order = make("select", { name: "order" }, ...orders.map(name => make("option", { value: name }, say(`order.${name}`, { figure: cases.figure_name.toUpperCase() }))));
    this.search = make("input", { type: "search", name: "search", placeholder: "case-", autocomplete: "off" });
    form.replaceChildren(make("details", { open: innerWidth > 992 }, make("summary", {}, say("filters")), make("div.stack", {},
      make("label.field", {}, make("span", {}, say("filter.search")), this.search), ...selects,
      orders.length > 1 ? make("label.field", {}, make("span", {}, say("filter.order")), this.order) : null,
      make("button", { type: "reset" }, say("filter.reset")))));
    form.addEventListener("input", () => this.apply());
    form.addEventListener("reset", () => setTimeout(() => this.apply()));
    form.addEventListener("submit", event => event.preventDefault());
  }

  apply() {
    const { cases, form, search } = this, text = search.value.trim().toLowerCase();
    const tests = Object.entries(this.tests).flatMap(([name, tests]) => (form.elements[name].value === "" ? [] : [tests[+form.elements[name].value]]));
    if (text) tests.push(row => cases.case[row].toLowerCase().includes(text));
    const rows = [...cases.case.keys()].filter(row => tests.every(test => test(row)));
    const by = { high: row => -cases.probability[row], low: row => cases.probability[row], doubtful: row => Math.abs(cases.probability[row] - 0.5),
      worst: row => cases.figure[row], best: row => -cases.figure[row] }[this.order.value];
    if (by) {
      const known = cases.figure_name && /worst|best/.test(this.order.value) ? cases.figure : cases.probability;
      rows.sort((a, b) => (known[a] === null) - (known[b] === null) || by(a) - by(b));
    }
    this.changed(rows, tests.length > 0);
  }

  /** Show only the cases of a finding. */
  only(finding) {
    this.form.reset();
    const titles = this.findings.filter(each => each.rows.length);
    this.form.elements.finding.value = titles.indexOf(finding);
    this.apply();
  }
}
