// The layers: a card each, its filters, its maps and their gradients as pictures whose pixels can be picked.

import { paint, scaleOf, words } from "./colours.js";

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

// How a row of numbers is laid out as a picture.
export const columnsOf = (count) => (count <= 20 ? count : Math.ceil(Math.sqrt(2 * count)));

// Rows and columns of the picture of one of a layer's maps.
export function sizeOf(layer) {
  if (layer.sent.length === 3) return { maps: layer.sent[0], rows: layer.sent[1], columns: layer.sent[2] };
  const columns = columnsOf(layer.sent[0]);
  return { maps: 1, rows: Math.ceil(layer.sent[0] / columns), columns };
}

// The index of a pixel in the layer's array: [row, column, channel] of an image, [number] of a row.
export function indexOf(layer, channel, row, column) {
  if (layer.sent.length === 3) return [row, column, channel];
  const index = row * sizeOf(layer).columns + column;
  return index < layer.sent[0] ? [index] : null;
}

export function valueOf(layer, numbers, channel, row, column) {
  const { rows, columns } = sizeOf(layer);
  return numbers[(channel * rows + row) * columns + column];
}

// A canvas whose pixels are picked with the pointer or the keyboard.
export class PixelMap {
  constructor(name, pick) {
    this.name = name;
    this.pick = pick;
    this.place = { row: 0, column: 0 };
    this.canvas = element("canvas", { width: 1, height: 1 });
    this.canvas.setAttribute("role", "img");
    this.cursor = element("span", { className: "cursor", hidden: true });
    this.node = element("div", { className: "map" }, this.canvas, this.cursor);
    this.canvas.addEventListener("click", (event) => {
      const box = this.canvas.getBoundingClientRect();
      this.move(Math.floor(((event.clientY - box.top) / box.height) * this.rows), Math.floor(((event.clientX - box.left) / box.width) * this.columns));
      this.choose();
    });
    this.canvas.addEventListener("pointermove", (event) => {
      const box = this.canvas.getBoundingClientRect();
      const row = Math.floor(((event.clientY - box.top) / box.height) * this.rows);
      const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
      const value = this.numbers?.[row * this.columns + column];
      this.canvas.title = value === undefined ? "" : `${this.name}, row ${row}, column ${column}: ${words(value)}`;
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("focus", () => (this.cursor.hidden = !this.canvas.matches(":focus-visible")));
    this.canvas.addEventListener("blur", () => (this.cursor.hidden = !this.chosen));
  }

  draw(numbers, rows, columns, scale) {
    const resized = rows !== this.rows || columns !== this.columns;
    Object.assign(this, { numbers, rows, columns, scale });
    paint(this.canvas, numbers, rows, columns, scale);
    if (resized) {
      this.canvas.style.aspectRatio = `${columns} / ${rows}`;
      this.move(this.place.row, this.place.column);
    } else this.label();
  }

  move(row, column) {
    this.place = { row: Math.max(0, Math.min(this.rows - 1, row)), column: Math.max(0, Math.min(this.columns - 1, column)) };
    const style = this.cursor.style;
    [style.left, style.width] = [`${(100 * this.place.column) / this.columns}%`, `${100 / this.columns}%`];
    [style.top, style.height] = [`${(100 * this.place.row) / this.rows}%`, `${100 / this.rows}%`];
    this.label();
  }

  label() {
    const { row, column } = this.place;
    const value = this.numbers[row * this.columns + column];
    const here = value === undefined ? "" : ` Row ${row}, column ${column}: ${words(value)}.`;
    this.canvas.setAttribute("aria-label", `${this.name}, ${this.rows} by ${this.columns}, up to ${words(this.scale)}.${here}`);
  }

  choose() {
    this.pick(this.place.row, this.place.column);
  }

  mark(chosen) {
    this.chosen = chosen;
    this.cursor.hidden = !chosen;
  }

  key(event) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key === "Enter" || event.key === " ") this.choose();
    else if (moves[event.key]) {
      this.cursor.hidden = false;
      this.move(this.place.row + moves[event.key][0], this.place.column + moves[event.key][1]);
    } else return;
    event.preventDefault();
  }
}

// One tab stop for several maps: Page Up and Page Down go from one to the next.
function rove(maps) {
  maps.forEach((map, number) => {
    map.canvas.tabIndex = number === 0 ? 0 : -1;
    map.canvas.addEventListener("keydown", (event) => {
      const step = { PageDown: 1, PageUp: -1 }[event.key];
      const next = step && maps[number + step];
      if (!step) return;
      event.preventDefault();
      if (!next) return;
      maps.forEach((other) => (other.canvas.tabIndex = other === next ? 0 : -1));
      if (next.rows === map.rows) next.move(map.place.row, map.place.column);
      next.canvas.focus();
    });
  });
}

// Filters of one output as one picture: the kernel of each input channel beside and below the others, a gap of one pixel between them.
function tiled(layer, output) {
  const [rows, columns, channels, outputs] = layer.weights_sent;
  const across = Math.ceil(Math.sqrt(channels));
  const down = Math.ceil(channels / across);
  const size = { rows: down * (rows + 1) - 1, columns: across * (columns + 1) - 1 };
  const numbers = new Float32Array(size.rows * size.columns);
  for (let c = 0; c < channels; c++)
    for (let u = 0; u < rows; u++)
      for (let v = 0; v < columns; v++)
        numbers[(Math.floor(c / across) * (rows + 1) + u) * size.columns + (c % across) * (columns + 1) + v] =
          layer.weights_numbers[((u * columns + v) * channels + c) * outputs + output];
  return { ...size, numbers, at: (row, column) => {
    const [c, u, v] = [Math.floor(row / (rows + 1)) * across + Math.floor(column / (columns + 1)), row % (rows + 1), column % (columns + 1)];
    return c < channels && u < rows && v < columns ? [u, v, c, output] : null;
  } };
}

class Card {
  constructor(layer, pick) {
    this.pick = pick;
    this.shape = JSON.stringify([layer.sent, layer.weights_sent]);
    this.title = element("h3", { textContent: layer.name });
    this.facts = element("p", { className: "quiet" });
    this.maps = element("div", { className: "maps" });
    this.note = element("p", { className: "note", hidden: true });
    this.node = element("article", { className: "card" }, element("div", { className: "heading" }, this.title, this.facts), this.note, this.maps);
    this.node.dataset.layer = layer.name;
    if (layer.passes) {
      this.node.classList.add("passes");
      this.maps.remove();
      return;
    }
    const { maps, rows, columns } = sizeOf(layer);
    this.maps.classList.toggle("row", layer.sent.length === 1);
    this.maps.style.setProperty("--columns", columns);
    this.maps.classList.toggle("large", rows > 40);
    this.activations = Array.from({ length: maps }, (_, channel) => new PixelMap(`${layer.name}${maps > 1 ? ` channel ${channel}` : ""}`, (row, column) => this.choose("value", channel, row, column)));
    this.gradients = this.activations.map((map, channel) => new PixelMap(`gradient of ${map.name}`, (row, column) => this.choose("gradient", channel, row, column)));
    this.filters = layer.weights_sent ? this.activations.map((map, channel) => new PixelMap(`filter of ${map.name}`, (row, column) => {
      const index = tiled(this.layer, channel).at(row, column);
      if (index) this.pick({ what: "weight", layer: this.layer, parameter: "weights", index });
    })) : null;
    this.activations.forEach((map, channel) => {
      const parts = this.filters ? [this.filters[channel].node] : [];
      this.gradients[channel].node.hidden = true;
      this.gradients[channel].node.classList.add("gradient");
      this.filters?.[channel].node.classList.add("filter");
      this.maps.append(element("figure", {}, ...parts, map.node, this.gradients[channel].node));
    });
    for (const row of [this.activations, this.gradients, this.filters ?? []]) rove(row);
  }

  choose(what, channel, row, column) {
    const index = indexOf(this.layer, channel, row, column);
    if (index) this.pick({ what, layer: this.layer, channel, row, column, index });
  }

  draw(layer) {
    this.layer = layer;
    const shape = layer.shape.join(" × ");
    if (layer.passes) {
      this.facts.textContent = layer.kind === "Flatten" ? `${layer.kind}: the same numbers in one row, ${shape}` : `${layer.kind}: passes everything on when predicting`;
      return;
    }
    const more = layer.sent.length === 3 && layer.sent[0] < layer.shape[2] ? `, the first ${layer.sent[0]} shown` : "";
    const strange = layer.strange ? ` · ${layer.strange} of them no numbers` : "";
    this.facts.textContent = `${layer.kind} ${shape}${more} · ${words(layer.low)} to ${words(layer.high)}${strange}`;
    const { rows, columns } = sizeOf(layer);
    const scale = Math.max(Math.abs(layer.low), Math.abs(layer.high));
    this.activations.forEach((map, channel) => map.draw(layer.numbers.subarray(channel * rows * columns, (channel + 1) * rows * columns), rows, columns, scale));
    if (!this.filters) return;
    const weights = scaleOf(layer.weights_numbers);
    this.filters.forEach((map, channel) => {
      const picture = tiled(layer, channel);
      map.draw(picture.numbers, picture.rows, picture.columns, weights);
    });
  }

  drawGradient(gradient) {
    this.node.classList.toggle("reached", Boolean(gradient));
    if (!this.gradients) return;
    this.gradients.forEach((map, channel) => {
      map.node.hidden = !gradient;
      if (!gradient) return;
      const { rows, columns } = sizeOf(gradient);
      map.draw(gradient.numbers.subarray(channel * rows * columns, (channel + 1) * rows * columns), rows, columns, Math.max(Math.abs(gradient.low), Math.abs(gradient.high)));
    });
  }
}

export class Cards {
  constructor(node, pick) {
    this.node = node;
    this.pick = pick;
    this.cards = new Map();
  }

  draw(view) {
    this.view = view;
    const names = view.layers.map((layer) => layer.name);
    for (const [name, card] of this.cards)
      if (!names.includes(name)) {
        card.node.remove();
        this.cards.delete(name);
      }
    view.layers.forEach((layer, number) => {
      let card = this.cards.get(layer.name);
      if (!card || card.shape !== JSON.stringify([layer.sent, layer.weights_sent])) {
        const made = new Card(layer, this.pick);
        if (card) card.node.replaceWith(made.node);
        else this.node.insertBefore(made.node, this.node.children[number] ?? null);
        this.cards.set(layer.name, (card = made));
      }
      card.draw(layer);
    });
  }

  // The map of a pixel that was picked gets a mark; all others lose theirs.
  mark(picked) {
    for (const card of this.cards.values())
      for (const [what, maps] of [["value", card.activations], ["gradient", card.gradients], ["weight", card.filters]])
        (maps ?? []).forEach((map, channel) => {
          const chosen = Boolean(picked) && picked.layer.name === card.layer.name && picked.what === what && (what === "weight" ? picked.index[3] : picked.channel) === channel;
          map.mark(chosen);
          if (chosen && what !== "weight") map.move(picked.row, picked.column);
        });
  }
}
