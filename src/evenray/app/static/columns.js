// What columns and folders were taken to mean, and what they mean instead.

import { make, number, say, word } from "./frame.js";

const FIXED = /\(.*\)|^\[/; // a header's tag is no column
const quoted = name => (/[,:=+"]/.test(name) ? `"${name.replaceAll('"', '\\"')}"` : name);
/** The name that --column has for a place: levels of folders and words of names are numbered. */
const named = place => place.replace(/^(folder|name) (-?\d+)$/, "$1$2");

/** The table; `read(column)` is called with the texts of --column when it is to be read (again). */
export function columnsPanel(place, { understood, meanings, asked, button, note, read }) {
  if (!understood) {
    place.replaceChildren(make("p.empty", {}, say("columns.unknown")));
    return;
  }
  const choice = (column, meaning) => make("select", { "data-place": column, "data-was": meaning, "aria-label": say("columns.meaning_of", { column }) },
    ...["", ...meanings].map(name => make("option", { value: name, selected: name === meaning }, name ? word("meaning", name) : say("columns.unused"))));
  const rows = [
    ...understood.rows.map(row => make("tr", {}, make("th", { scope: "row" }, row.place),
      make("td", {}, FIXED.test(row.place) || !meanings.includes(row.meaning) ? word("meaning", row.meaning) : choice(row.place, row.meaning)),
      make("td", {}, word("how", row.how)), make("td.n", {}, `${number(row.matched)} / ${number(row.of)}`),
      make("td.small", {}, row.examples.join(", ")))),
    ...understood.unused.map(column => make("tr", {}, make("th", { scope: "row" }, column), make("td", {}, choice(column, "")), make("td"), make("td"), make("td"))),
  ];
  const body = make("tbody", {}, ...rows);
  const column = () => {
    const changed = [...body.querySelectorAll("select")].filter(each => each.value !== each.dataset.was);
    const touched = new Set(changed.flatMap(each => [each.value, each.dataset.was]));
    const kept = asked.filter(text => !touched.has(text.split("=")[0].trim()));
    return [...kept, ...changed.map(each => `${each.value || "ignore"}=${quoted(named(each.dataset.place))}`)];
  };
  const act = make("button.primary", { type: "button", onclick: () => read(column()) }, button);
  const command = make("code");
  const mark = () => {
    const texts = column();
    command.textContent = texts.length ? texts.map(text => `--column '${text}'`).join(" ") : "";
    if (note) act.disabled = JSON.stringify(texts) === JSON.stringify(asked);
  };
  body.addEventListener("change", mark);
  mark();
  const counts = Object.entries(understood.counts).map(([name, count]) => `${name} ${number(count)}`).join(", ");
  place.replaceChildren(
    make("p", {}, say("columns.intro", { source: understood.source })),
    rows.length ? make("div.scroll", {}, make("table", {}, make("thead", {}, make("tr", {},
      ...["place", "meaning", "how"].map(key => make("th", { scope: "col" }, say(`columns.${key}`))), make("th.n", { scope: "col" }, say("columns.matched")), make("th", { scope: "col" }, say("columns.examples")))), body)) : null,
    counts ? make("p.quiet", {}, say("columns.counts", { counts })) : null,
    make("div.row", {}, act, note ? make("span.quiet.small", {}, note) : null), make("p.small", {}, command));
}
