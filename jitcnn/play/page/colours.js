// Numbers as colours: orange above zero, blue below, zero the colour of the page, in light and dark.

const dark = matchMedia("(prefers-color-scheme: dark)");
const SCALES = {
  light: { low: [[30, 58, 138], [59, 130, 246], [250, 248, 245], [234, 120, 30], [112, 38, 10]], none: [200, 0, 120] },
  dark: { low: [[214, 232, 255], [59, 130, 246], [19, 19, 21], [234, 110, 20], [255, 232, 170]], none: [255, 60, 180] },
};
const STEPS = 256;
let table = build();

function build() {
  const stops = SCALES[dark.matches ? "dark" : "light"].low;
  const colours = new Uint8ClampedArray(4 * STEPS);
  for (let k = 0; k < STEPS; k++) {
    const place = (k / (STEPS - 1)) * (stops.length - 1);
    const first = Math.min(Math.floor(place), stops.length - 2);
    for (let c = 0; c < 3; c++) colours[4 * k + c] = stops[first][c] + (stops[first + 1][c] - stops[first][c]) * (place - first);
    colours[4 * k + 3] = 255;
  }
  return colours;
}

export function whenThemeChanges(redraw) {
  dark.addEventListener("change", () => {
    table = build();
    redraw();
  });
}

function index(value, scale) {
  const share = scale > 0 ? value / scale : 0;
  return Math.round(((Math.max(-1, Math.min(1, share)) + 1) / 2) * (STEPS - 1));
}

export function colourOf(value, scale) {
  if (!Number.isFinite(value)) return { background: `rgb(${SCALES[dark.matches ? "dark" : "light"].none})`, text: "#fff" };
  const at = 4 * index(value, scale);
  const [r, g, b] = table.subarray(at, at + 3);
  return { background: `rgb(${r} ${g} ${b})`, text: 0.3 * r + 0.59 * g + 0.11 * b > 140 ? "#1c1b1a" : "#fff" };
}

// Paint rows x columns numbers, `scale` the magnitude of full colour. What is no number is pink.
export function paint(canvas, numbers, rows, columns, scale) {
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(columns, rows);
  const none = SCALES[dark.matches ? "dark" : "light"].none;
  const [pixels, colours] = [new Uint32Array(picture.data.buffer), new Uint32Array(table.buffer)];
  const [strange] = new Uint32Array(Uint8Array.of(...none, 255).buffer);
  const count = Math.min(rows * columns, numbers.length); // the rest is transparent
  for (let k = 0; k < count; k++) pixels[k] = Number.isFinite(numbers[k]) ? colours[index(numbers[k], scale)] : strange;
  context.putImageData(picture, 0, 0);
}

// An image as it is, grey or in colour.
export function paintImage(canvas, numbers, [rows, columns, channels], dtype) {
  Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(columns, rows);
  const factor = dtype === "uint8" ? 1 : numbers.some((value) => value > 1) ? 1 : 255;
  for (let k = 0; k < rows * columns; k++) {
    for (let c = 0; c < 3; c++) picture.data[4 * k + c] = factor * numbers[k * channels + (channels === 3 ? c : 0)];
    picture.data[4 * k + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

export function scaleOf(numbers) {
  let most = 0;
  for (const value of numbers) if (Number.isFinite(value) && Math.abs(value) > most) most = Math.abs(value);
  return most;
}

// A number for people: four digits that count, or as many as there is room for.
export function words(value, digits = 4) {
  if (typeof value === "string") return value.replace("inf", "∞").replace("-", "−").replace("nan", "NaN");
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size === 0) return "0";
  const text = size >= 1e5 || size < 1e-4 ? value.toExponential(digits - 2) : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−").replace("e+", "e");
}
