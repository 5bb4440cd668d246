// One number explained: what was read, what was multiplied, what it adds up to, and the lines of the reference loop that do so.

import { colourOf, paint, scaleOf, words } from "./colours.js";
import { columnsOf, sizeOf } from "./maps.js";

const MOST_CELLS = 7; // rows and columns that are shown as numbers; larger ones are pictures
const MOST_LISTED = 8; // terms of a long sum that are listed

export function element(tag, properties = {}, ...children) {
  const { aria, ...others } = properties;
  const made = Object.assign(document.createElement(tag), others);
  for (const [name, value] of Object.entries(aria ?? {})) made.setAttribute(name.includes("role") ? name : `aria-${name}`, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// A grid of numbers on their colours; `pick(k)` makes them buttons.
function grid(title, numbers, rows, columns, pick, chosen) {
  const scale = scaleOf(numbers.filter((value) => value !== null).map(Number));
  const table = element("table", { className: "grid", aria: { label: title } });
  for (let row = 0; row < rows; row++) {
    const line = table.insertRow();
    for (let column = 0; column < columns; column++) {
      const k = row * columns + column;
      const cell = line.insertCell();
      if (numbers[k] === null) {
        cell.className = "outside";
        cell.textContent = "·";
        cell.title = "outside: padding";
        continue;
      }
      const { background, text } = colourOf(Number(numbers[k]), scale);
      const label = words(numbers[k], 2);
      cell.title = words(numbers[k], 8);
      cell.append(pick ? element("button", { type: "button", textContent: label, onclick: () => pick(k), title: "how its gradient comes about" }) : label);
      cell.style.background = background;
      cell.style.color = text;
      cell.classList.toggle("chosen", k === chosen);
    }
  }
  return element("figure", {}, element("figcaption", { textContent: title }), table);
}

function picture(title, numbers, rows, columns) {
  const canvas = element("canvas", { aria: { role: "img" } });
  const plain = Float32Array.from(numbers, (value) => (value === null ? 0 : Number(value)));
  const scale = scaleOf(plain);
  paint(canvas, plain, rows, columns, scale);
  canvas.setAttribute("aria-label", `${title}, ${rows} by ${columns}, up to ${words(scale)}`);
  canvas.style.aspectRatio = `${columns} / ${rows}`;
  return element("figure", { className: "picture" }, element("figcaption", { textContent: title }), canvas);
}

const block = (title, numbers, rows, columns, pick, chosen) =>
  rows <= MOST_CELLS && columns <= MOST_CELLS ? grid(title, numbers, rows, columns, pick, chosen) : picture(title, numbers, rows, columns);

const sign = (text) => element("span", { className: "sign", textContent: text, aria: { hidden: "true" } });
const productsOf = ({ left, right }) => left.map((value, k) => (value === null ? null : Number(value) * (right ? Number(right[k]) : 1)));
const sum = (numbers) => numbers.reduce((total, value) => total + (value ?? 0), 0);

// The last axis of a window are channels: one of them is shown, the others are a button each, the weightiest first.
function channels(terms, weightOf, pick) {
  const [rows, columns, count] = terms.shape;
  const products = productsOf(terms);
  const of = (numbers, c) => numbers && Array.from({ length: rows * columns }, (_, k) => numbers[k * count + c]);
  const sums = Array.from({ length: count }, (_, c) => sum(of(products, c)));
  const order = [...sums.keys()].sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a]));
  const shown = element("div", { className: "blocks" });
  const buttons = order.map((c) => element("button", { type: "button", className: "chip", textContent: `${c}: ${words(sums[c])}`, onclick: () => show(c) }));
  function show(c) {
    buttons.forEach((button, place) => button.setAttribute("aria-pressed", order[place] === c));
    const choose = weightOf && ((k) => pick(weightOf(Math.floor(k / columns), k % columns, c)));
    shown.replaceChildren(
      block(terms.names[0], of(terms.left, c), rows, columns),
      ...(terms.right ? [sign("×"), block(terms.names[1], of(terms.right, c), rows, columns, choose)] : []),
      ...(terms.right ? [sign("="), block("products", of(products, c), rows, columns)] : []),
    );
  }
  show(order[0]);
  return count === 1 ? shown : element("div", {}, element("p", { className: "quiet", textContent: `Sums of the ${count} channels, the weightiest first:` }), element("div", { className: "chips" }, ...buttons), shown);
}

// A long sum: its largest terms, and the rest in one.
function list(terms, weightOf, pick) {
  const products = productsOf(terms).map((value) => value ?? 0);
  const order = [...products.keys()].sort((a, b) => Math.abs(products[b]) - Math.abs(products[a])).slice(0, MOST_LISTED);
  const table = element("table", { className: "list" });
  const head = table.createTHead().insertRow();
  for (const title of ["", terms.names[0], ...(terms.right ? [terms.names[1], "product"] : [])]) head.append(element("th", { textContent: title, scope: "col" }));
  const body = table.createTBody();
  for (const k of order) {
    const row = body.insertRow();
    row.insertCell().textContent = k;
    row.insertCell().textContent = words(terms.left[k]);
    if (!terms.right) continue;
    const weight = row.insertCell();
    weight.append(weightOf ? element("button", { type: "button", className: "link", textContent: words(terms.right[k]), onclick: () => pick(weightOf(k)) }) : words(terms.right[k]));
    row.insertCell().textContent = words(products[k]);
  }
  const rest = products.length - order.length;
  if (rest > 0) {
    const row = body.insertRow();
    row.append(element("td", { colSpan: terms.right ? 3 : 1, textContent: `the other ${rest.toLocaleString("en")} together` }), element("td", { textContent: words(sum(products) - sum(order.map((k) => products[k]))) }));
  }
  if (products.length <= 20) return table;
  const columns = columnsOf(products.length);
  return element("div", {}, picture("all products", products, Math.ceil(products.length / columns), columns), table);
}

function equation(step, terms) {
  if (terms.kind === "pick") return `${terms.names[0] === "window" ? "the winner of the window" : "that pixel"}: ${words(terms.total)}`;
  if (terms.kind === "function") return `${terms.names[0]}(${words(terms.left[0])}) = ${words(terms.total)}`;
  if (terms.kind === "share") return `${words(terms.left[terms.chosen])} / ${words(sum(terms.left.map(Number)))} = ${words(terms.total)}`;
  const bias = terms.bias === null ? "" : ` + bias ${words(terms.bias)}`;
  if (terms.left.length === 1 && terms.right) return `${words(terms.left[0])} × ${words(terms.right[0])}${bias} = ${words(terms.total)}`;
  return `sum of ${terms.right ? "products" : "all"} ${words(sum(productsOf(terms)))}${bias} = ${words(terms.total)}`;
}

function source(functions) {
  return functions.map(({ place, text, marks }) => {
    const code = element("code");
    text.trimEnd().split("\n").forEach((line, k) => code.append(element("span", { className: marks.includes(k) ? "line mark" : "line", textContent: `${line || " "}\n` })));
    return element("div", {}, element("p", { className: "quiet", textContent: place }), element("pre", { tabIndex: 0, aria: { label: `Lines of ${place}` } }, code));
  });
}

export class Inspector {
  constructor(node, pick) {
    this.node = node;
    this.pick = pick;
    this.open = new Map(); // whether the lines of a kernel are shown
  }

  empty(text) {
    this.node.replaceChildren(element("p", { className: "quiet", textContent: text }));
  }

  show(picked, answer, view) {
    const { layer, index } = picked;
    const place = picked.what === "weight" ? `${picked.parameter} [${index}]` : index.length === 3 ? `channel ${index[2]}, row ${index[0]}, column ${index[1]}` : `number ${index[0]}`;
    const what = { value: "", gradient: "gradient of ", weight: "gradient of " }[picked.what];
    const parts = [
      element("p", { className: "place", textContent: `${what}${layer.name}, ${place}` }),
      element("p", { className: "value", textContent: words(answer.value) }),
    ];
    if (picked.what === "weight") parts.push(element("p", { className: "quiet", textContent: this.aboutWeight(answer) }));
    for (const [number, step] of answer.steps.entries()) parts.push(this.step(step, number, picked, view, answer));
    this.node.replaceChildren(...parts);
  }

  aboutWeight(answer) {
    const change = answer.small_change === undefined || answer.small_change === null ? "" : ` The loss itself says ${words(answer.small_change)}: the plain loops, run twice in float64 with the weight a little larger and a little smaller.`;
    return `The weight is ${words(answer.weight)}; for this image the loss changes ${words(answer.value)} times as much as the weight.${change}`;
  }

  step(step, number, picked, view, answer) {
    const node = element("section", { className: "step" }, element("h3", { textContent: step.kernel }));
    const { terms } = step;
    if (terms) {
      const weightOf = this.weights(step, picked);
      const choose = (wish) => this.pick({ ...wish, layer: picked.layer });
      const seen = this.where(terms, picked, view);
      if (seen) node.append(seen);
      if (terms.kind === "function") { /* the equation says it all */ }
      else if (terms.kind === "products" && terms.left.length === 1) { /* so it does */ }
      else if (terms.shape.length === 3) node.append(channels(terms, weightOf, choose));
      else if (terms.shape.length === 2) {
        const [rows, columns] = terms.shape;
        const products = terms.right && productsOf(terms);
        node.append(element("div", { className: "blocks" }, block(terms.names[0], terms.left, rows, columns, null, terms.chosen), ...(products ? [sign("×"), block(terms.names[1], terms.right, rows, columns), sign("="), block("products", products, rows, columns)] : [])));
      } else node.append(list(terms, weightOf, choose));
      node.append(element("p", { className: "equation", textContent: equation(step, terms) }));
      if (terms.note) node.append(element("p", { className: "quiet", textContent: terms.note }));
      if (number === answer.steps.length - 1 && typeof answer.value === "number" && answer.value !== terms.total && words(answer.value) !== words(terms.total))
        node.append(element("p", { className: "quiet", textContent: `The fast kernel adds in another order: ${words(answer.value)}.` }));
    } else node.append(element("p", { className: "quiet", textContent: step.source.length ? "A function of your own:" : "Nothing is computed here: the number is passed on." }));
    if (step.source.length) {
      const details = element("details", { open: this.open.get(step.kernel) ?? number === 0 }, element("summary", { textContent: "The lines that compute it" }), ...source(step.source));
      details.addEventListener("toggle", () => this.open.set(step.kernel, details.open));
      node.append(details);
    }
    return node;
  }

  // Where the weights among the terms are, so that they can be picked.
  weights(step, picked) {
    if (picked.what !== "value") return null;
    const last = picked.index.at(-1);
    if (step.kernel === "conv2d") return (u, v, c) => ({ what: "weight", parameter: "weights", index: [u, v, c, last] });
    if (step.kernel === "dense") return (k) => ({ what: "weight", parameter: "weights", index: [k, last] });
    return null;
  }

  // The picture that was read, with a frame around what of it was.
  where(terms, picked, view) {
    if (!terms.region || picked.what === "gradient") return null;
    const place = view.layers.findIndex((layer) => layer.name === picked.layer.name);
    const below = view.layers.slice(0, place).findLast((layer) => !layer.passes);
    if (!below || below.sent.length !== 3) return null;
    const { rows, columns } = sizeOf(below);
    const channel = picked.what === "weight" ? picked.index[2] : terms.shape.length === 2 ? picked.index[2] : this.weightiest(terms);
    if (channel >= below.sent[0]) return null;
    const canvas = element("canvas", { aria: { role: "img", label: `${below.name} channel ${channel}, with a frame around the window, rows ${terms.region[0]} to ${terms.region[1] - 1}, columns ${terms.region[2]} to ${terms.region[3] - 1}` } });
    const numbers = below.numbers.subarray(channel * rows * columns, (channel + 1) * rows * columns);
    paint(canvas, numbers, rows, columns, Math.max(Math.abs(below.low), Math.abs(below.high)));
    canvas.style.aspectRatio = `${columns} / ${rows}`;
    const frame = element("span", { className: "frame" });
    const [top, bottom, left, right] = terms.region;
    Object.assign(frame.style, { left: `${(100 * left) / columns}%`, width: `${(100 * (right - left)) / columns}%`, top: `${(100 * top) / rows}%`, height: `${(100 * (bottom - top)) / rows}%` });
    return element("figure", { className: "where" }, element("div", { className: "map" }, canvas, frame), element("figcaption", { textContent: `read from ${below.name}${below.sent[0] > 1 ? `, channel ${channel}` : ""}` }));
  }

  weightiest(terms) {
    const count = terms.shape[2] ?? 1;
    const sums = new Float64Array(count);
    productsOf(terms).forEach((value, k) => (sums[k % count] += value ?? 0));
    return sums.reduce((best, value, c) => (Math.abs(value) > Math.abs(sums[best]) ? c : best), 0);
  }
}
