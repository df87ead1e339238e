// A comparison: one cell per model or setting, in rows and columns where two axes vary.
import { make } from "./dom.js";
import { fitted } from "./fit.js";
import { arrowKeys, stopAt } from "./keys.js";
import { isRunning } from "./progress.js";
import { tile } from "./tiles.js";
import { secondsText } from "./words.js";

const gap = 10;
const rowNames = 120;
const columnNames = 20;
const smallest = 84;
const largest = 300;
const captionShare = 0.14;

export function comparisonTitle(comparison) {
  const { done, failed, total } = comparison;
  const told = [`${done} of ${total} done`, failed ? `${failed} failed` : ""].filter(Boolean).join(", ");
  return isRunning(comparison.status) ? `Comparing · ${told}` : done === total ? `Comparison of ${total}` : `Comparison · ${told}`;
}

export const cellCards = (comparison) => comparison.cells.filter((cell) => cell.generation_id).map((cell) => cardOfCell(cell));

// `room` is what it should fit into; `tick(card)` makes the mark of a selected one.
export function sheet(comparison, { pictures, press, tick, room }) {
  const axes = Object.keys(comparison.cells[0]?.values ?? {});
  const grid = make("div", { class: "sheet", role: "group", "aria-label": "Comparison" });
  const element = (cell, label) => cellElement(cell, label, pictures, press, tick);
  if (axes.length === 2) fillTable(grid, comparison, axes, room, element);
  else fillRows(grid, comparison, room, element);
  arrowKeys(grid);
  stopAt(grid);
  return grid;
}

export const labelOf = (cell) => Object.values(cell.values).join(" · ") || cell.model;

function fillRows(grid, comparison, room, element) {
  const layOut = (ratio) => {
    const { columns, size } = fitted(comparison.cells.length, 1 / (1 / ratio + captionShare), room);
    grid.style.setProperty("--columns", String(columns));
    grid.style.setProperty("--size", `${Math.floor(size)}px`);
  };
  layOut(1);
  grid.classList.add("sheet-plain");
  grid.addEventListener("ratio", ({ detail }) => layOut(detail), { once: true });
  grid.append(...comparison.cells.map((cell) => element(cell, labelOf(cell))));
}

function fillTable(grid, comparison, [down, across], room, element) {
  const rows = valuesOf(comparison, down);
  const columns = valuesOf(comparison, across);
  grid.classList.add("sheet-table");
  const size = Math.min((room.width - rowNames) / columns.length, (room.height - columnNames) / rows.length) - gap;
  grid.style.setProperty("--columns", String(columns.length));
  grid.style.setProperty("--size", `${Math.floor(Math.min(Math.max(size, smallest), largest))}px`);
  grid.append(make("div", { class: "corner", text: `${down} ↓  ${across} →` }));
  grid.append(...columns.map((value) => make("div", { class: "column-name", dir: "auto", text: value })));
  for (const row of rows) {
    grid.append(make("div", { class: "row-name", dir: "auto", text: row }));
    for (const column of columns) {
      const cell = comparison.cells.find((one) => one.values[down] === row && one.values[across] === column);
      grid.append(cell ? element(cell, "") : make("div"));
    }
  }
}

const valuesOf = (comparison, axis) => [...new Set(comparison.cells.map((cell) => cell.values[axis]))];

function cellElement(cell, label, pictures, press, tick) {
  const card = cardOfCell(cell);
  const shown = cell.generation_id
    ? tile(card, pictures, { press, label: labelOf(cell), extra: [tick(card)] })
    : make("div", { class: "cell-empty", data: { status: cell.status } }, make("span", { text: cell.error ?? cellWords[cell.status] ?? cell.status }));
  const seconds = cell.latency_ms ? secondsText(cell.latency_ms / 1000) : "";
  const caption = label && make("figcaption", {}, make("span", { class: "cell-name", dir: "auto", text: label }), make("span", { class: "quiet", text: seconds }));
  return make("figure", { class: "cell" }, shown, caption);
}

const cellWords = { pending: "Waiting", running: "Being made…", failed: "Failed", cancelled: "Stopped" };

function cardOfCell(cell) {
  return {
    id: cell.generation_id,
    prompt: labelOf(cell),
    model: cell.model,
    kind: "txt2img",
    seed: cell.seed_text ?? String(cell.seed),
    media: "image",
    mime: "",
    width: null,
    height: null,
    size_bytes: 0,
  };
}
