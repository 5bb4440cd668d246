// The page: paper, prediction and layers, kept up to date.

import { ask, askPacked, sendBytes, toBase64, fromBase64, Refused } from "./api.js";
import { paintImage, whenThemeChanges, words } from "./colours.js";
import { Paper } from "./drawing.js";
import { Keys } from "./keys.js";
import { Cards } from "./maps.js";

const $ = (id) => document.getElementById(id);
const state = { about: null, image: null, label: null, view: null, example: 0 };

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

const cards = new Cards($("cards"), (picked) => cards.mark(picked));

function show(view) {
  state.view = view;
  state.image = view.image;
  drawSeen();
  drawPrediction();
  cards.draw(view);
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
    show(await askPacked("drawing", { shape, dtype, data: toBase64(pixels) }));
    document.body.dataset.milliseconds = (performance.now() - started).toFixed(1);
  }),
);

const looked = new Latest(() => attempt(async () => state.image && show(await askPacked("look", { image: state.image }))));

async function nextExample(step = 1) {
  await attempt(async () => {
    const answer = await ask("example", { number: state.example });
    state.example = answer.number + step;
    Object.assign(state, { image: answer.image, label: answer.label });
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
  $("example").hidden = about.examples === 0;
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
whenThemeChanges(() => state.view && show(state.view));

const keys = new Keys($("keys"), $("keys-list"), $("keys-open"));
keys.add("c", "clear the paper", () => $("clear").click());
keys.add("n", "next example", () => nextExample());
keys.add("d", "to the paper; there arrow keys move the pen, Space puts it down and lifts it", () => $("paper").focus());
keys.tell("Tab", "from one picture, slider or button to the next");
keys.tell("Arrow keys", "from pixel to pixel of a picture; Page Up and Page Down from channel to channel");
keys.tell("Enter", "explain the pixel");

await attempt(async () => begin(await ask("about")));
if (state.about?.examples) await nextExample();
document.body.dataset.ready = "yes";
