// A chain of contrast methods as a form: a select for each step, and for each parameter the control that its signature asks for.

import { given, make, number, say } from "./frame.js";

const methods = new Map(given.methods?.map(method => [method.name, method]) ?? []);
const short = value => Number(value.toPrecision(4)).toString();

/** A step with its parameters as they are by default. */
export const step = (name, values = {}) => ({ name, values });

/** A chain as a spec: parameters that are as by default are left out. */
export function spec(steps, points = null) {
  const told = steps.filter(({ name }) => name !== "none").map(({ name, values }) => {
    const given = methods.get(name).parameters
      .filter(one => values[one.name] !== undefined && values[one.name] !== one.default)
      .map(one => `${one.name}=${word(values[one.name])}`);
    return given.length ? `${name}(${given.join(", ")})` : name;
  });
  if (points) told.push(`piecewise([${simpler(points).map(([x, y]) => `(${short(x)}, ${short(y)})`).join(", ")}])`);
  return told.join(" | ") || "none";
}

/** Points without those that lie on the line between their neighbours (Douglas and Peucker). */
function simpler(points, far = .0015) {
  if (points.length < 3) return points;
  const [[x0, y0], [x1, y1]] = [points[0], points.at(-1)];
  const off = points.map(([x, y]) => Math.abs(y - y0 - (y1 - y0) * (x - x0) / (x1 - x0)));
  const most = off.indexOf(Math.max(...off));
  if (off[most] <= far) return [points[0], points.at(-1)];
  return [...simpler(points.slice(0, most + 1), far).slice(0, -1), ...simpler(points.slice(most), far)];
}

const word = value => typeof value === "boolean" ? (value ? "True" : "False") : typeof value === "number" ? short(value) : value;

/** Read a spec such as those of the server's advice, in which parameters are plain numbers or words. */
export function parse(text) {
  return text.split(" | ").map(part => {
    const [, name, inside] = part.match(/^(\w+)(?:\((.*)\))?$/);
    const values = {};
    (inside ? inside.split(", ") : []).forEach((item, i) => {
      const [, key, value] = item.match(/^(?:(\w+)=)?(.*)$/);
      const parameter = key ?? methods.get(name).parameters[i].name;
      values[parameter] = { True: true, False: false }[value] ?? (Number.isNaN(Number(value)) ? value : Number(value));
    });
    return step(name, values);
  });
}

/** The form of a chain in `place`; `changed(event)` is called when a control moves. `range` is that of the image's levels. */
export function form(place, steps, range, changed) {
  const again = event => { form(place, steps, range, changed); changed(event); };
  const rows = steps.map((one, i) => make("li.step", {},
    make("div.step-head", {},
      select(one, i, event => { steps[i] = step(event.target.value); again(event); place.querySelectorAll("select.method")[i].focus(); }),
      button("↑", "earlier", i === 0, event => { steps.splice(i - 1, 0, ...steps.splice(i, 1)); again(event); }),
      button("×", "remove", steps.length === 1, event => { steps.splice(i, 1); again(event); })),
    make("p.small.quiet", {}, say(`method.${one.name}`)),
    ...methods.get(one.name).parameters.filter(({ kind }) => kind !== "points").map(parameter => control(one, parameter, range, changed))));
  place.replaceChildren(...rows);
}

function select(one, i, onchange) {
  const options = [...methods.keys()].map(name => make("option", { value: name, selected: name === one.name }, name));
  return make("select.method", { "aria-label": say("method", { number: i + 1 }), onchange }, ...options);
}

const button = (sign, key, disabled, onclick) =>
  make("button.plain", { type: "button", "aria-label": say(key), title: say(key), disabled, onclick }, sign);

/** A window has a centre and a width, or a preset. */
function together(values, set, [low, high]) {
  if (set === "preset" || values[set] === undefined) for (const name of ["center", "width", "preset"]) if (name !== set) delete values[name];
  if (set === "center" || set === "width") {
    delete values.preset;
    if (values[set] !== undefined) Object.assign(values, { center: (low + high) / 2, width: (high - low) / 2, ...values });
  }
}

function control(one, parameter, range, changed) {
  const set = (value, event) => {
    if (value === null) delete one.values[parameter.name]; else one.values[parameter.name] = value;
    if (one.name === "window") together(one.values, parameter.name, range);
    changed(event);
  };
  const value = one.values[parameter.name] ?? parameter.default;
  if (parameter.kind === "switch") {
    return make("label.check", {}, make("input", { type: "checkbox", checked: value, onchange: e => set(e.target.checked, e) }), parameter.name);
  }
  if (parameter.kind === "choice") {
    const none = parameter.optional ? [make("option", { value: "" }, "–")] : [];
    const options = parameter.choices.map(word => make("option", { value: word, selected: word === value }, word));
    return make("label.field", {}, make("span", {}, parameter.name),
      make("select", { onchange: e => set(e.target.value || null, e) }, ...none, ...options));
  }
  const grey = parameter.kind === "grey", whole = parameter.kind === "whole";
  const spread = range[1] - range[0];
  const [low, high] = grey ? (parameter.low === null ? range : [spread / 200, spread]) : [parameter.low, parameter.high];
  const step = whole || (grey && spread > 50) ? 1 : Number(((high - low) / 200).toPrecision(1));
  const shown = make("output.value", {}, value === null ? say("auto") : number(value, 4));
  const slider = make("input", { type: "range", min: low, max: high, step, "aria-label": `${one.name} ${parameter.name}`,
    oninput: e => { shown.textContent = number(e.target.valueAsNumber, 4); set(e.target.valueAsNumber, e); } });
  slider.value = value ?? (parameter.name === "low" ? low : parameter.name === "high" ? high : (low + high) / 2);
  const free = parameter.optional
    ? make("button.plain.small", { type: "button", onclick: e => { shown.textContent = say("auto"); set(null, e); } }, say("auto")) : null;
  return make("div.field", {}, make("span", {}, parameter.name, shown), make("div.slider", {}, slider, free));
}
