// A network drawn to scale: heights are the sides of the maps, thicknesses their number, bars the vectors of linear layers.

const SPACE = "http://www.w3.org/2000/svg";
const HEIGHT = 170, LENGTH = 620, GAP = 8, SLANT = .3, BAR = 10;

function shape(name, attributes, ...children) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Draw `network` (of /vgg16/network) into `place`; `told(row)` names a layer, `chosen(i)` is called for the one pressed. */
export function draw(place, network, told, chosen) {
  const maps = network.rows.filter(row => row.output.length === 3);
  const thick = LENGTH / maps.reduce((sum, row) => sum + row.output[0], network.channels), pixel = HEIGHT / network.size;
  const unit = HEIGHT / Math.max(1000, ...network.rows.filter(row => row.output.length === 1).map(row => row.output[0]));
  const floor = HEIGHT * (1 + SLANT) + 8, slabs = [];
  let x = 6;
  const slab = (kind, count, side, next, i) => {
    const wide = Math.max(1.5, thick * count), tall = Math.max(pixel * side, 1), slant = SLANT * tall, top = floor - tall, right = x + wide;
    const faces = [
      shape("polygon", { points: `${x},${top} ${x + slant},${top - slant} ${right + slant},${top - slant} ${right},${top}`, class: "lid" }),
      shape("polygon", { points: `${right},${top} ${right + slant},${top - slant} ${right + slant},${floor - slant} ${right},${floor}`, class: "flank" }),
      shape("rect", { x, y: top, width: wide, height: tall }),
    ];
    slabs.push(group(kind, faces, i));
    x += wide + GAP + Math.max(0, SLANT * pixel * (side - next));
  };
  const group = (kind, faces, i) => {
    const one = shape("g", i === null ? { class: `layer ${kind}` } : { class: `layer ${kind}`, "data-row": i }, ...faces);
    one.prepend(shape("title", {}, i === null ? "" : told(network.rows[i])));
    if (i !== null) one.addEventListener("click", () => chosen(i));
    return one;
  };
  slab("image", network.channels, network.size, maps[0]?.output[1] ?? 0, null);
  network.rows.forEach((row, i) => {
    if (row.output.length === 3) slab(row.kind, row.output[0], row.output[1], network.rows[i + 1]?.output[1] ?? 0, i);
    else {
      const tall = Math.max(2, unit * row.output[0]);
      slabs.push(group(row.kind, [shape("rect", { x: x + 4, y: floor - tall, width: BAR, height: tall })], i));
      x += BAR + 2 * GAP;
    }
  });
  place.setAttribute("viewBox", `0 0 ${Math.ceil(x + 8)} ${floor + 6}`);
  place.replaceChildren(...slabs);
}
