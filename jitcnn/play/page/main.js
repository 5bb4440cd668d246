// The page: paper, prediction and layers, kept up to date.

import { ask, askPacked, sendBytes, toBase64, fromBase64, Refused } from "./api.js";
import { paintImage, whenThemeChanges, words } from "./colours.js";
import { Paper } from "./drawing.js";
import { Keys } from "./keys.js";
import { Cards, sizeOf } from "./maps.js";
import { Inspector } from "./number.js";
import { Training } from "./train.js";

const $ = (id) => document.getElementById(id);
const state = { about: null, image: null, label: null, view: null, example: 0, back: 0, gradients: null, picked: null, labelChosen: false };

export function say(problem) {
  $("message").textContent = problem ?? "";
  $("message").hidden = !problem;
}

// One question at a time: while an answer is on its way only the latest wish is kept.
class Latest {
  constructor(work) {
    this.work = work;
    this.running = false;
    this.wish = null;
  }

  async want(...wish) {
    this.wish = wish;
    if (this.running) return;
    this.running = true;
    try {
      while (this.wish) {
        const next = this.wish;
        this.wish = null;
        await this.work(...next);
      }
    } finally {
      this.running = false;
    }
  }
}

async function attempt(work) {
  try {
    await work();
    say(null);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(error.message);
  }
}

const cards = new Cards($("cards"), pick);
let training = null;
const side = () => training?.side ?? 0;
const inspector = new Inspector($("number"), pick);

export function show(view) {
  state.view = view;
  state.image = view.image;
  drawSeen();
  drawPrediction();
  cards.draw(view);
  if (state.back) backward.want();
  if (state.picked) explained.want();
}

// A number

function pick(picked) {
  state.picked = picked;
  if (picked.what === "weight" && picked.layer.weights_sent === undefined && picked.layer.sent.length === 3) return;
  cards.mark(picked);
  document.querySelector("aside").classList.add("picked"); // the number comes before the training
  explained.want();
}

const explained = new Latest(() =>
  attempt(async () => {
    const { picked } = state;
    if (!picked || !state.image) return;
    const { what, layer, index, parameter = "" } = picked;
    const answer = await ask("number", { side: side(), image: state.image, what, layer: layer.name, index, parameter, ...(what === "value" ? {} : aim()) });
    if (state.picked !== picked) return;
    $("number-close").hidden = false;
    inspector.show(picked, answer, state.view);
    if (state.seen === picked) return; // the same number for another image: nothing moves
    state.seen = picked;
    document.querySelector("aside").scrollTo({ top: 0 });
    if (innerWidth <= 1250) $("number-panel").scrollIntoView({ block: "nearest" });
  }),
);

function close() {
  if (!state.picked) return;
  state.picked = null;
  document.querySelector("aside").classList.remove("picked");
  cards.mark(null);
  $("number-close").hidden = true;
  inspector.empty("Click a pixel of any picture.");
}

// The backward pass

// Of what gradients are: of the loss for a label, or, where outputs are no classes, of the largest output.
function aim() {
  if (state.about.classes) return { label: Number($("label").value) };
  const last = state.view.layers.findLast((layer) => !layer.passes);
  const { rows, columns } = sizeOf(last);
  const place = last.numbers.indexOf(Math.max(...last.numbers));
  if (last.sent.length !== 3) return { output: place };
  return { output: (place % (rows * columns)) * last.shape[2] + Math.floor(place / (rows * columns)) };
}

const backward = new Latest(() =>
  attempt(async () => {
    if (!state.image || !state.back) return;
    state.gradients = await askPacked("gradients", { side: side(), image: state.image, ...aim() });
    drawGradients();
  }),
);

function drawGradients() {
  const layers = state.gradients?.layers ?? [];
  const first = layers.length - state.back;
  layers.forEach((gradient, number) => cards.cards.get(gradient.name)?.drawGradient(state.back && number >= first ? gradient : null));
  $("back-none").disabled = state.back === 0;
  $("back").disabled = $("back-all").disabled = state.back > 0 && first === 0;
  if (!state.back) return ($("back-text").textContent = "");
  const loss = state.gradients.loss === null ? "" : `The loss is ${words(state.gradients.loss)}. `;
  const above = layers.slice(first + 1).find((layer) => layer.calls.length); // others pass gradients on
  $("back-text").textContent = above
    ? `${loss}Through ${above.name} back to what ${layers[first].name} made: ${above.calls.join(", ")}. Below each picture stands its gradient.`
    : `${loss}The gradient of the loss with respect to what ${layers[first].name} made, before its activation if the loss works on that.`;
}

async function stepBack(all) {
  if (!state.view) return;
  const count = state.view.layers.length;
  do state.back = Math.min(count, state.back + 1);
  while (state.back < count && (all || state.view.layers[count - state.back].passes));
  await backward.want();
  const reached = cards.cards.get(state.view.layers[count - state.back].name);
  if (!all) reached?.node.scrollIntoView({ block: "nearest" });
}

function hideGradients() {
  state.back = 0;
  drawGradients();
}

function drawSeen() {
  const { image } = state;
  if (!image) return;
  if (image.shape.length === 3) paintImage($("seen"), fromBase64(image), image.shape, image.dtype);
  const [rows, columns, channels] = image.shape;
  const kind = channels === 3 ? "in colour" : channels === 1 ? "in grey" : `with ${channels} channels`;
  $("seen-text").textContent = `The network sees ${rows} × ${columns} pixels ${kind}${state.label === null ? "" : `; the label says ${state.about.classes?.[state.label] ?? state.label}`}.`;
  $("seen").setAttribute("aria-label", $("seen-text").textContent);
}

function drawPrediction() {
  const { outputs } = state.view;
  const list = $("prediction");
  if (!outputs) {
    $("verdict").textContent = "The output is the picture of the last layer.";
    list.replaceChildren();
    return;
  }
  const classes = state.about.classes;
  const numbers = outputs.map(Number);
  const best = numbers.indexOf(Math.max(...numbers));
  if (state.label === null && !state.labelChosen) $("label").value = best; // a picture of one's own has no label
  const shown = numbers.length <= 12 ? numbers.map((_, k) => k) : [...numbers.keys()].sort((a, b) => numbers[b] - numbers[a]).slice(0, 12);
  const text = (value) => (state.about.probabilities ? `${(100 * value).toFixed(1)} %` : words(value));
  $("verdict").textContent = `${classes[best]}, ${text(numbers[best])}`;
  const most = state.about.probabilities ? 1 : Math.max(...numbers.map(Math.abs)) || 1;
  while (list.children.length < shown.length) list.append(document.getElementById("bar").content.firstElementChild.cloneNode(true));
  while (list.children.length > shown.length) list.lastElementChild.remove();
  shown.forEach((k, place) => {
    const [name, bar, value] = list.children[place].children;
    name.textContent = classes[k];
    bar.firstElementChild.style.width = `${(100 * Math.abs(numbers[k])) / most}%`;
    value.textContent = text(numbers[k]);
    list.children[place].classList.toggle("best", k === best);
    list.children[place].classList.toggle("label", k === state.label);
  });
}

const drawn = new Latest(() =>
  attempt(async () => {
    if (paper.empty) return;
    const started = performance.now();
    const { shape, dtype, pixels } = paper.pixels();
    state.label = null;
    show(await askPacked("drawing", { side: side(), shape, dtype, data: toBase64(pixels) }));
    document.body.dataset.milliseconds = (performance.now() - started).toFixed(1);
  }),
);

const looked = new Latest(() => attempt(async () => state.image && show(await askPacked("look", { side: side(), image: state.image }))));

async function nextExample(step = 1) {
  await attempt(async () => {
    const answer = await ask("example", { number: state.example });
    state.example = answer.number + step;
    Object.assign(state, { image: answer.image, label: answer.label });
    if (state.about.classes) $("label").value = answer.label;
    state.labelChosen = false;
    drawSeen();
    showOnPaper();
    await looked.want();
  });
}

function showOnPaper() {
  if (!paper) return;
  paper.show($("seen"));
  $("paper-hint").hidden = true;
}

async function openPicture(file) {
  if (!file) return;
  await attempt(async () => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    state.label = null;
    show(await sendBytes("picture", bytes));
    showOnPaper();
    if (side()) await looked.want();
  });
}

let paper = null;

function begin(about) {
  state.about = about;
  const shape = about.input_shape.join(" × ");
  $("about").textContent = `${about.layers.length} layers, ${about.parameters.toLocaleString("en")} parameters, images of ${shape}`;
  const [, , channels] = about.input_shape;
  if (channels === 1 || channels === 3) {
    const white = about.preparation.invert === true;
    $("colour-label").hidden = channels !== 3;
    paper = new Paper($("paper"), $("pen"), { background: white ? "#fff" : "#000", channels, colour: () => (channels === 3 ? $("colour").value : white ? "#000" : "#fff") }, () => {
      $("paper-hint").hidden = true;
      drawn.want();
    });
  } else $("paper-frame").hidden = true;
  $("example").hidden = $("example-hint").hidden = about.examples === 0;
  $("label-label").hidden = !about.classes;
  $("label").append(...(about.classes ?? []).map((name, k) => new Option(name, k)));
}

$("clear").addEventListener("click", () => {
  paper?.clear();
  $("paper-hint").hidden = false;
});
$("example").addEventListener("click", () => nextExample());
$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => openPicture($("file").files[0]).then(() => ($("file").value = "")));
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => event.relatedTarget === null && document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  openPicture(event.dataTransfer.files[0]);
});
$("number-close").addEventListener("click", close);
$("back").addEventListener("click", () => stepBack(false));
$("back-all").addEventListener("click", () => stepBack(true));
$("back-none").addEventListener("click", hideGradients);
$("label").addEventListener("change", () => {
  state.labelChosen = true;
  if (state.back) backward.want();
  if (state.picked?.what !== "value") explained.want();
});
whenThemeChanges(() => {
  if (state.view) show(state.view);
  training?.draw();
});

const keys = new Keys($("keys"), $("keys-list"), $("keys-open"));
keys.add("c", "clear the paper", () => $("clear").click());
keys.add("n", "next example", () => nextExample());
const press = (part) => () => document.querySelector(`[data-part=${part}]`).click();
keys.add("p", "train, or pause", press("play"));
keys.add("s", "train for one step", press("step"));
keys.add("e", "train for one epoch", press("epoch"));
keys.add("b", "back to the best", press("best"));
keys.add("r", "start anew, from new weights", press("reset"));
keys.add("g", "the backward pass, one layer further back", () => stepBack(false));
keys.add("h", "hide the gradients", hideGradients);
keys.add("x", "close the number", close);
keys.add("d", "to the paper; there arrow keys move the pen, Space puts it down and lifts it", () => $("paper").focus());
keys.tell("Tab", "from one picture, slider or button to the next");
keys.tell("Arrow keys", "from pixel to pixel of a picture; Page Up and Page Down from channel to channel");
keys.tell("Enter", "explain the pixel");

await attempt(async () => begin(await ask("about")));
if (state.about?.examples) await nextExample();
if (state.about) {
  const save = document.querySelector("[data-part=save]");
  save.disabled = !state.about.out;
  save.title = state.about.out ? `to ${state.about.out}` : "start with --out FILE to save";
  training = new Training($("train"), state.about.classes, () => looked.want(), say);
  await attempt(() => training.start());
}
document.body.dataset.ready = "yes";
