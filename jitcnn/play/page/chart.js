// Curves over epochs, drawn on a canvas in the page's own colours.

const MARGIN = { left: 40, right: 10, top: 8, bottom: 18 };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Steps of 1, 2 or 5 times a power of ten, about `count` of them.
function ticks(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(Number(value.toPrecision(6)));
  return found;
}

// `series`: lines of {points: [[x, y], …], colour, dash, dots}; what is no number is left out.
export function drawChart(canvas, series, { low = 0, high = null, text = String } = {}) {
  const box = canvas.getBoundingClientRect();
  if (!box.width) return;
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, box.width, box.height);
  const usable = series.map((line) => ({ ...line, points: line.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)) }));
  const all = usable.flatMap((line) => line.points);
  const most = { x: Math.max(1, ...all.map(([x]) => x)), y: high ?? Math.max(low + 1e-9, ...all.map(([, y]) => y)) };
  const x = (value) => MARGIN.left + (value / most.x) * (box.width - MARGIN.left - MARGIN.right);
  const y = (value) => box.height - MARGIN.bottom - ((Math.min(value, most.y) - low) / (most.y - low)) * (box.height - MARGIN.top - MARGIN.bottom);
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = colour("--quiet");
  context.strokeStyle = colour("--line");
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticks(low, most.y, 3)) {
    context.beginPath();
    context.moveTo(MARGIN.left, y(tick));
    context.lineTo(box.width - MARGIN.right, y(tick));
    context.stroke();
    context.fillText(text(tick), MARGIN.left - 6, y(tick));
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of ticks(0, most.x, 5)) if (Number.isInteger(tick)) context.fillText(tick, x(tick), box.height - MARGIN.bottom + 5);
  for (const line of usable) {
    context.strokeStyle = context.fillStyle = colour(line.colour);
    context.globalAlpha = line.faint ? 0.45 : 1;
    context.lineWidth = line.faint ? 1.25 : 2;
    context.setLineDash(line.dash ?? []);
    context.beginPath();
    line.points.forEach(([a, b], k) => context[k ? "lineTo" : "moveTo"](x(a), y(b)));
    context.stroke();
    context.setLineDash([]);
    if (line.dots) for (const [a, b] of line.points.slice(-60)) {
      context.beginPath();
      context.arc(x(a), y(b), 2.5, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }
}
