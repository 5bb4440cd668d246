// Training: sliders, buttons, curves, and why a loss exploded. The server trains; this asks how far it is.

import { ask, Refused } from "./api.js";
import { words } from "./colours.js";
import { drawChart } from "./chart.js";
import { element } from "./number.js";

// Milliseconds between two questions; three times what an answer and its pictures took, where that is more, but at most SLOW.
const BUSY = 90; // while a step or an epoch is done
const PLAYING = 250; // while training goes on and on, whose cores drawing takes
const SLOW = 500;
const IDLE = 1500;
const REMEDY = "Lower the learning rate, and go back to the best or start anew.";
const KINDS = ["weights", "outputs", "gradients"];
const COLOURS = ["--accent", "--second"];
const percent = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(1)} %`);

// Sliders by setting: how the slider's position and the number belong together.
const SLIDERS = {
  rate: { text: "learning rate", min: -5, max: 1.5, step: 0.1, from: Math.log10, to: (at) => Number((10 ** at).toPrecision(2)), show: words },
  filters: { text: "filters", min: 1, max: 32, step: 1, from: Number, to: Number, show: String },
  dropout: { text: "dropout", min: 0, max: 0.9, step: 0.05, from: Number, to: Number, show: (value) => percent(value) },
  batch: { text: "batch", min: 0, max: 9, step: 1, from: Math.log2, to: (at) => 2 ** at, show: String },
};

export class Training {
  constructor(root, classes, changed, say) {
    Object.assign(this, { root, classes, changed, say, side: 0, sides: [], playing: false, last: "" });
    this.$ = (name) => root.querySelector(`[data-part=${name}]`);
    this.$("play").addEventListener("click", () => this.do(this.playing ? "pause" : "play"));
    for (const action of ["step", "epoch", "best", "reset"]) this.$(action).addEventListener("click", () => this.do(action));
    this.$("compare").addEventListener("change", (event) => this.do(event.target.checked ? "compare" : "single"));
    this.$("save").addEventListener("click", () => this.save());
    for (const button of root.querySelectorAll("[data-side]"))
      button.addEventListener("click", () => {
        this.side = Number(button.dataset.side);
        this.draw();
        this.changed();
      });
    new ResizeObserver(() => this.drawCurves()).observe(this.$("loss"));
  }

  async start() {
    await this.update();
    this.poll();
  }

  async poll() {
    for (let took = 0; ; ) {
      const pause = this.active && !document.hidden ? Math.max(this.playing ? PLAYING : BUSY, Math.min(3 * took, SLOW)) : IDLE;
      await new Promise((done) => {
        this.goOn = done; // something was asked for: look at once
        setTimeout(done, pause);
      });
      try {
        const started = performance.now();
        await this.update();
        took = performance.now() - started;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.active = false;
        this.say(error.message);
      }
    }
  }

  question() {
    return { since: this.sides.map((side) => side.points.length), runs: this.sides.map((side) => side.run) };
  }

  async update() {
    await this.take(await ask("state", this.question()));
  }

  async do(action, more = {}) {
    try {
      await this.take(await ask("train", { action, side: this.side, ...more, ...this.question() }));
      this.say(null);
      this.goOn?.();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.say(error.message);
    }
  }

  async save() {
    try {
      const { saved } = await ask("save", { side: this.side });
      this.$("saved").textContent = `Saved to ${saved}.`;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.$("saved").textContent = error.message;
    }
  }

  async take(state) {
    this.active = state.playing || state.busy;
    this.playing = state.playing;
    this.state = state;
    this.sides = state.sides.map((side, k) => {
      const known = this.sides[k];
      const same = known && known.run === side.run && side.first <= known.points.length;
      return { ...side, points: same ? [...known.points.slice(0, side.first), ...side.points] : side.points };
    });
    this.side = Math.min(this.side, Math.max(0, this.sides.length - 1));
    this.draw();
    const now = JSON.stringify([this.side, ...this.sides.map((side) => [side.run, side.step, side.settings, side.epoch])]);
    if (now !== this.last) {
      this.last = now;
      await this.changed();
    }
  }

  draw() {
    const { reason, doing, problem } = this.state;
    this.$("reason").textContent = reason ?? "";
    this.$("body").hidden = Boolean(reason);
    if (reason) return;
    const comparing = this.sides.length > 1;
    this.$("play").firstElementChild.textContent = this.playing ? "Pause" : "Play";
    this.$("compare").checked = comparing;
    this.$("which").hidden = !comparing;
    for (const button of this.root.querySelectorAll("[data-side]")) button.setAttribute("aria-pressed", Number(button.dataset.side) === this.side);
    this.$("status").textContent = problem || (doing ? `${doing} …` : this.progress(this.sides[this.side]));
    this.drawSettings();
    this.drawCurves();
    this.drawClasses();
    this.drawExplosion();
  }

  progress(side) {
    const last = side.points.at(-1);
    const speed = side.rate ? `, ${Math.round((1000 * side.images) / side.rate).toLocaleString("en")} ms an epoch` : "";
    const where = `epoch ${(side.epoch + side.share).toFixed(1)}, step ${side.step.toLocaleString("en")}${speed}`;
    return last ? `${where}; loss ${words(last[1])}` : `not trained here yet; ${side.images.toLocaleString("en")} images an epoch`;
  }

  drawSettings() {
    const node = this.$("settings");
    while (node.children.length > this.sides.length) node.lastElementChild.remove();
    while (node.children.length < this.sides.length) node.append(this.makeSettings(node.children.length));
    this.sides.forEach((side, k) => {
      const fields = node.children[k];
      fields.querySelector("legend").textContent = this.sides.length > 1 ? `Settings ${"AB"[k]}` : "Settings";
      for (const [name, slider] of Object.entries(SLIDERS)) {
        const input = fields.querySelector(`[name=${name}]`);
        const value = side.settings[name];
        input.parentElement.hidden = name === "filters" && value === 0;
        if (input !== document.activeElement || !input.matches(":active")) if (!input.dataset.moving) input.value = slider.from(value);
        if (!input.dataset.moving) fields.querySelector(`output[for="${input.id}"]`).textContent = slider.show(value);
        input.setAttribute("aria-valuetext", slider.show(slider.to(Number(input.value))));
      }
      const select = fields.querySelector("select");
      if (select !== document.activeElement) select.value = side.settings.left_out ?? "";
    });
  }

  makeSettings(k) {
    const fields = element("fieldset", {}, element("legend"));
    for (const [name, { text, min, max, step, to, show }] of Object.entries(SLIDERS)) {
      const input = element("input", { type: "range", name, min, max, step, id: `${name}-${k}` });
      const output = element("output", { htmlFor: input.id });
      let waiting;
      const send = () => {
        delete input.dataset.moving;
        this.do("set", { side: k, settings: { [name]: to(Number(input.value)) } });
      };
      input.addEventListener("input", () => {
        input.dataset.moving = "yes";
        output.textContent = show(to(Number(input.value)));
        clearTimeout(waiting);
        waiting = setTimeout(send, 250);
      });
      fields.append(element("label", { htmlFor: input.id }, element("span", { textContent: text }), input, output));
    }
    const select = element("select", { id: `left-out-${k}` }, new Option("none", ""), ...(this.classes ?? []).map((name, number) => new Option(name, number)));
    select.addEventListener("change", () => this.do("set", { side: k, settings: { left_out: select.value === "" ? null : Number(select.value) } }));
    fields.append(element("label", { htmlFor: select.id }, element("span", { textContent: "left out" }), select));
    return fields;
  }

  drawCurves() {
    if (!this.sides.length) return;
    const lines = (part, key) => this.sides.flatMap((side, k) => [
      { points: side.points.map((point) => [point[0], Number(point[part])]), colour: COLOURS[k], faint: true },
      { points: side.marks.map((mark) => [mark.epoch, Number(mark[key] ?? NaN)]), colour: COLOURS[k], dots: true },
    ]);
    const losses = (values) => values.map(Number).filter(Number.isFinite).toSorted((a, b) => a - b);
    const sets = this.sides.flatMap((side) => [losses(side.points.map((point) => point[1])), losses(side.marks.map((mark) => mark.loss))]);
    const highs = sets.filter((set) => set.length).map((set) => set[Math.floor(0.98 * set.length)]);
    const high = highs.length ? Math.max(0.1, ...highs) * 1.1 : 2.5;
    drawChart(this.$("loss"), lines(1, "loss"), { high, text: (value) => words(value, 2) });
    drawChart(this.$("accuracy"), lines(2, "accuracy"), { high: 1, text: (value) => `${Math.round(100 * value)} %` });
    const said = (key, show) => this.sides.map((side, k) => `${this.sides.length > 1 ? `${"AB"[k]} ` : ""}${side.marks.length ? show(side.marks.at(-1)[key]) : "–"}`).join(", ");
    this.$("loss").setAttribute("aria-label", `Loss by epoch; on images not trained on ${said("loss", words)}`);
    this.$("accuracy").setAttribute("aria-label", `Accuracy by epoch; on images not trained on ${said("accuracy", percent)}`);
    this.$("loss-now").textContent = said("loss", words);
    this.$("accuracy-now").textContent = said("accuracy", percent);
  }

  drawClasses() {
    const side = this.sides[this.side];
    const shares = side.classes;
    const node = this.$("classes");
    node.hidden = shares.length === 0 || shares.length > 20 || shares.length !== this.classes?.length;
    if (node.hidden) return;
    const list = node.querySelector("ol");
    while (list.children.length < shares.length) list.append(element("li", {}, element("span", { className: "bar", aria: { hidden: "true" } }, element("span")), element("span", { className: "name" })));
    while (list.children.length > shares.length) list.lastElementChild.remove();
    shares.forEach((share, k) => {
      const item = list.children[k];
      item.firstElementChild.firstElementChild.style.height = `${100 * (share ?? 0)}%`;
      item.lastElementChild.textContent = this.classes[k];
      item.title = `${this.classes[k]}: ${percent(share)} right`;
      item.setAttribute("aria-label", item.title);
      item.classList.toggle("left-out", side.settings.left_out === k);
    });
  }

  drawExplosion() {
    const node = this.$("explosion");
    const { explosion } = this.sides[this.side];
    node.hidden = !explosion;
    if (!explosion || node.dataset.step === `${this.side} ${explosion.step}`) return;
    node.dataset.step = `${this.side} ${explosion.step}`;
    const { first, stalled } = explosion;
    const gradient = (at) => words(Math.max(...Object.values(explosion.series.gradients).map((series) => Number(series.at(at)))));
    const why = first
      ? `First went the ${first.kind} of ${first.layer}: before step ${first.step} the largest was ${words(first.value)}, ${words(first.before)} when this look began, at step ${explosion.steps[0]}.`
      : "No layer's numbers had grown tenfold in the steps before: the loss jumped at once.";
    const table = element("table", { className: "list" });
    const head = table.createTHead().insertRow();
    for (const title of ["largest", ...KINDS]) head.append(element("th", { textContent: title, scope: "col" }));
    const body = table.createTBody();
    const path = (series) => (series ? `${words(series[0], 2)} → ${words(series.at(-1), 2)}` : "");
    for (const layer of explosion.layers) {
      const row = body.insertRow();
      const name = row.insertCell();
      name.textContent = layer;
      name.classList.toggle("first", first?.layer === layer);
      for (const kind of KINDS) {
        const cell = row.insertCell();
        cell.textContent = path(explosion.series[kind][layer]);
        cell.classList.toggle("first", first?.layer === layer && first.kind === kind);
      }
    }
    node.replaceChildren(
      element("h3", { textContent: stalled ? "Training has come to nothing" : `The loss exploded at step ${explosion.step}` }),
      element("p", { textContent: stalled
        ? `No more answers are right than before training, at a loss of ${words(explosion.loss)}; it was ${words(explosion.start)}. ${why} The largest gradient was ${words(gradient(0))}, and is ${words(gradient(-1))} now. ${REMEDY}`
        : `It is ${words(explosion.loss)}, and was ${words(explosion.start)} before training. ${why} ${REMEDY}` }),
      element("div", { className: "scroll" }, table),
    );
  }
}
