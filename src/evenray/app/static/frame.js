// What every page shares: its texts, requests to the server, notices, and the switch between light and dark.

const json = id => JSON.parse(document.getElementById(id).textContent);
const texts = json("texts");

/** What the server gave the page's script. */
export const given = json("given");

/** The text of a key of this page ("app.PAGE." and "app.frame." are left out), its {names} filled in. */
export function say(key, values = {}) {
  const text = texts[`app.${document.body.dataset.page}.${key}`] ?? texts[`app.frame.${key}`] ?? texts[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The word for a code, by what it is of (a part, a meaning); any other text is its own word. */
export const word = (name, value) => texts[`value.${name}.${value}`] ?? value;

/** A number as people write it, with at most so many decimals. */
export const number = (value, decimals = 3) =>
  value === null || value === undefined || !Number.isFinite(value) ? "–"
    : value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: decimals });

/** An element: make("p.quiet", { id: "a" }, "text", child, ...). */
export function make(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** A line that tells what happened; `action` is [text, function] for a button beside it, such as undo. */
export function tell(text, { error = false, action = null, seconds = 8 } = {}) {
  const line = make(error ? "p.notice.error" : "p.notice", {}, text);
  const close = () => line.remove();
  if (action) line.append(make("button", { type: "button", onclick: () => { close(); action[1](); } }, action[0]));
  line.append(make("button.plain", { type: "button", "aria-label": say("close"), onclick: close }, "×"));
  document.getElementById("notices").append(line);
  if (!error) setTimeout(close, seconds * 1000);
}

/** The answer of the server; its refusal is an Error with the server's own sentence. */
export async function ask(path, options = {}) {
  let answer;
  const headers = { "accept-language": document.documentElement.lang, ...options.headers };
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Error(say("no_server"));
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.message ?? `${answer.status} ${answer.statusText}`);
}

export const get = async path => (await ask(path)).json();

/** Send a value as JSON. */
export const send = async (path, value = {}, method = "POST") =>
  (await ask(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(value) })).json();

/** Run something that a person asked for; what goes wrong is told. */
export async function attempt(work) {
  try {
    return await work();
  } catch (problem) {
    if (problem.name !== "AbortError") tell(problem.message, { error: true });
    return undefined;
  }
}

const probe = document.body.appendChild(make("span", { hidden: true }));

/** A colour of the stylesheet ("accent" is --accent) as it is now, for drawing on a canvas. */
export function colour(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/** Call `draw` whenever what colours depend on, or the width of `element`, changes. */
export function redraw(element, draw) {
  new ResizeObserver(draw).observe(element);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("themechange", draw);
}

document.querySelector("nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" }); // on a phone

document.getElementById("theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const root = document.documentElement;
  root.dataset.theme = (root.dataset.theme ?? (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  localStorage.setItem("evenray-theme", root.dataset.theme);
  dispatchEvent(new Event("themechange"));
});
