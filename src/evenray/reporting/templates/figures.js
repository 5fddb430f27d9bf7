"use strict";
// Figures as files: the drawing on white under its title, as SVG, and painted from that as PNG. Nothing leaves the page.
(() => {
  const LINE = 24, SCALE = 3;  // pixels of the title; pixels of the PNG to one of the drawing
  const FONTS = "Noto Sans, Helvetica, Arial, Apple SD Gothic Neo, Malgun Gothic, Noto Sans KR, Noto Sans CJK KR, sans-serif";

  const element = (space, name, attributes, words = "") => {
    const made = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = words;
    return made;
  };

  const drawing = (figure) => {
    const shown = figure.querySelector("svg.drawing"), { width, height } = shown.viewBox.baseVal;
    const title = figure.querySelector(".figure-title")?.textContent ?? "";
    const top = title ? LINE : 0, size = { width, height: height + top };
    const file = element(shown.namespaceURI, "svg", { ...size, viewBox: `0 0 ${size.width} ${size.height}`, "font-family": FONTS, "font-size": 12, role: "img" });
    file.setAttribute("aria-label", shown.getAttribute("aria-label"));
    file.append(element(shown.namespaceURI, "rect", { ...size, fill: "#ffffff" }));
    if (title) file.append(element(shown.namespaceURI, "text", { x: 8, y: 17, "font-size": 13, "font-weight": "bold", fill: "#1b2430" }, title));
    const inside = element(shown.namespaceURI, "g", { transform: `translate(0,${top})` });
    inside.append(...[...shown.childNodes].map((node) => node.cloneNode(true)));
    file.append(inside);
    return { ...size, text: new XMLSerializer().serializeToString(file) };
  };

  const save = (content, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  const painted = async ({ width, height, text }) => {
    const image = new Image(), canvas = document.createElement("canvas");
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    canvas.width = Math.ceil(width * SCALE);
    canvas.height = Math.ceil(height * SCALE);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-save]");
    if (!button) return;
    const drawn = drawing(button.closest("figure")), name = `${button.dataset.name}.${button.dataset.save}`;
    if (button.dataset.save === "svg") save(new Blob([drawn.text], { type: "image/svg+xml" }), name);
    else save(await painted(drawn), name);
  });

  // -- texts to paste ------------------------------------------------------------------------------------------------
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    let done = true;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {  // a page opened from a file may not write there; the words are selected, so that copying takes a key
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand("copy");
    }
    const told = button.parentElement.querySelector("[role=status]");
    told.textContent = done ? button.dataset.done : button.dataset.selected;
  });
})();
