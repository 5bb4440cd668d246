// The paper: drawn on with mouse, finger or keys.

const CELL = 8; // pixels that an arrow key moves the pen
const SENT = 140; // pixels of the paper's side as the server gets it

export class Paper {
  constructor(canvas, pen, options, changed) {
    this.canvas = canvas;
    this.pen = pen;
    this.changed = changed;
    this.background = options.background;
    this.colour = options.colour;
    this.channels = options.channels;
    this.context = canvas.getContext("2d");
    this.smaller = new OffscreenCanvas(SENT, SENT).getContext("2d", { willReadFrequently: true });
    this.place = { x: canvas.width / 2, y: canvas.height / 2 };
    this.down = false;
    this.empty = true;
    this.clear(false);
    this.listen();
  }

  clear(tell = true) {
    this.context.fillStyle = this.background;
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.empty = true;
    this.shown = false;
    if (tell) this.changed();
  }

  // Show a picture that came from elsewhere, until something is drawn.
  show(picture) {
    this.clear(false);
    this.context.imageSmoothingEnabled = false;
    const scale = Math.min(this.canvas.width / picture.width, this.canvas.height / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    this.context.drawImage(picture, (this.canvas.width - width) / 2, (this.canvas.height - height) / 2, width, height);
    this.empty = false;
    this.shown = true;
  }

  stroke(from, to) {
    if (this.shown) this.clear(false);
    Object.assign(this.context, { lineCap: "round", lineJoin: "round", lineWidth: this.canvas.width / 14, strokeStyle: this.colour() });
    this.context.beginPath();
    this.context.moveTo(from.x, from.y);
    this.context.lineTo(to.x, to.y + 0.01); // a point is a line too
    this.context.stroke();
    this.empty = false;
    this.changed();
  }

  // What is drawn, (rows, columns, channels) of uint8.
  pixels() {
    this.smaller.drawImage(this.canvas, 0, 0, SENT, SENT);
    const { data } = this.smaller.getImageData(0, 0, SENT, SENT);
    const pixels = new Uint8Array((data.length / 4) * this.channels);
    for (let k = 0; k < data.length / 4; k++) for (let c = 0; c < this.channels; c++) pixels[k * this.channels + c] = data[4 * k + c];
    return { shape: [SENT, SENT, this.channels], dtype: "uint8", pixels };
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * this.canvas.width, y: ((event.clientY - box.top) / box.height) * this.canvas.height };
  }

  listen() {
    const canvas = this.canvas;
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      last = this.at(event);
      this.stroke(last, last);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      for (const each of event.getCoalescedEvents?.() ?? [event]) {
        const next = this.at(each);
        this.stroke(last, next);
        last = next;
      }
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (last = null));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("focus", () => this.showPen(canvas.matches(":focus-visible")));
    canvas.addEventListener("blur", () => {
      this.down = false;
      this.showPen(false);
    });
  }

  key(event) {
    const moves = { ArrowUp: [0, -CELL], ArrowDown: [0, CELL], ArrowLeft: [-CELL, 0], ArrowRight: [CELL, 0] };
    if (event.key === " ") {
      this.down = !this.down;
      if (this.down) this.stroke(this.place, this.place);
    } else if (moves[event.key]) {
      const [x, y] = moves[event.key];
      const next = {
        x: Math.max(0, Math.min(this.canvas.width, this.place.x + x)),
        y: Math.max(0, Math.min(this.canvas.height, this.place.y + y)),
      };
      if (this.down) this.stroke(this.place, next);
      this.place = next;
    } else return;
    event.preventDefault();
    this.showPen(true);
  }

  showPen(visible) {
    this.pen.hidden = !visible;
    this.pen.classList.toggle("down", this.down);
    this.pen.style.left = `${(100 * this.place.x) / this.canvas.width}%`;
    this.pen.style.top = `${(100 * this.place.y) / this.canvas.height}%`;
  }
}
