// The form of a new run, from the recipe's own declaration: every setting, the few that matter most first.

import { get, make, number, say, send } from "./frame.js";

const SEVERAL = ["specs", "names", "texts", "values"];

/** Fills `place` with the form; `begun(name)` is called with the new run, `ended()` when it is closed. */
export async function openForm(place, like, { begun, ended }) {
  const { data, fields } = await get(`/runs/form${like ? `?like=${encodeURIComponent(like)}` : ""}`);
  const wrong = make("p.notice.error", { hidden: true, role: "alert" });
  const of = make("select", { name: "data", required: true }, ...data.map(each => make("option", { value: each.run ?? "", selected: each.run === like },
    each.images === null ? each.name : say("form.images", { name: each.name, count: number(each.images) }))));
  if (like && !data.some(each => each.run === like)) of.prepend(make("option", { value: like, selected: true }, say("form.like", { name: like })));
  const name = make("input", { name: "run-name", required: true, maxlength: 100, value: like ? `${like}-2` : "run", autocomplete: "off" });
  const first = fields.filter(field => field.first), panels = [...new Set(fields.filter(field => !field.first).map(field => field.panel))];
  const form = make("form", { novalidate: true },
    make("div.row", {}, make("h2", { id: "form-title" }, say("form.title")), make("span.grow"), make("button.plain", { type: "button", "aria-label": say("close"), onclick: ended }, "×")),
    data.length ? null : make("p.notice", {}, say("form.no_data")),
    make("div.fields", {}, make("label.field", {}, make("span", {}, say("form.data")), of), make("label.field", {}, make("span", {}, say("form.name")), name)),
    make("div.fields", {}, ...first.map(input)),
    ...panels.map(panel => make("details", {}, make("summary", {}, say(`form.panel.${panel}`)), make("div.fields", {}, ...fields.filter(field => !field.first && field.panel === panel).map(input)))),
    wrong, make("div.row", {}, make("button.primary", { type: "submit", disabled: !data.length && !like }, say("form.begin")), make("span.quiet.small", {}, say("form.note"))));
  form.addEventListener("submit", async event => {
    event.preventDefault();
    wrong.hidden = true;
    const settings = Object.fromEntries([...form.querySelectorAll("[data-setting]")].map(each => [each.dataset.setting, each.value]).filter(([, value]) => value.trim()));
    try {
      begun((await send("/runs/new", { like: of.value || null, name: name.value, settings })).run);
    } catch (problem) {
      wrong.textContent = problem.message;
      wrong.hidden = false;
      for (const each of form.querySelectorAll("[data-setting]")) {
        const blamed = problem.message.startsWith(`${each.dataset.setting} `) || problem.message.startsWith(`--${each.dataset.setting.replaceAll("_", "-")} `);
        each.setAttribute("aria-invalid", blamed);
        if (blamed) { each.closest("details")?.setAttribute("open", ""); each.focus(); }
      }
    }
  });
  place.replaceChildren(form);
  place.hidden = false;
  name.focus();
}

function input(field) {
  const about = { "data-setting": field.name, "aria-describedby": `help-${field.name}`, autocomplete: "off" };
  const usual = field.default ? say("form.default", { value: field.default.replaceAll("\n", ", ") }) : say("form.planned");
  let control;
  if (field.form === "choice" || field.form === "flag") {
    const choices = field.form === "flag" ? [["true", say("form.on")], ["false", say("form.off")]] : field.choices.map(name => [name, name]);
    control = make("select", about, make("option", { value: "" }, usual),
      ...choices.filter(([value]) => value !== field.default).map(([value, text]) => make("option", { value, selected: value === field.value }, text)));
  } else if (SEVERAL.includes(field.form)) {
    control = make("textarea", { ...about, rows: Math.max(2, Math.min(4, (field.value || field.default).split("\n").length)), placeholder: field.default || usual, spellcheck: "false" });
    control.value = field.value;
  } else control = make("input", { ...about, value: field.value, placeholder: field.default || usual, inputmode: field.form === "number" ? (field.whole ? "numeric" : "decimal") : null, spellcheck: "false" });
  const several = SEVERAL.includes(field.form) ? ` ${say("form.one_a_line")}` : "";
  return make("div.field", {}, make("label.field", {}, make("span", {}, field.label), control), make("span.small.quiet", { id: `help-${field.name}` }, field.help + several));
}
