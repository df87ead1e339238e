// Arrow keys among the tiles, wherever they lie; only one of them is a stop of the Tab key.

const directions = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
};

export function arrowKeys(container) {
  container.addEventListener("keydown", (event) => {
    const direction = directions[event.key];
    const from = event.target.closest?.(".tile");
    if (direction === undefined || !from || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...container.querySelectorAll(".tile")];
    const to = next(all, from, direction);
    if (to) {
      event.preventDefault();
      stopAt(container, to);
      to.focus();
      to.scrollIntoView({ block: "nearest" });
    }
  });
  container.addEventListener("focusin", (event) => {
    const tile = event.target.closest?.(".tile");
    if (tile) stopAt(container, tile);
  });
}

// Makes the tile (or else the first one) the one that Tab comes to.
export function stopAt(container, tile = container.querySelector(".tile")) {
  const before = container.querySelector('.tile[tabindex="0"]');
  if (before) before.tabIndex = -1;
  if (tile) tile.tabIndex = 0;
}

function next(all, from, direction) {
  const at = all.indexOf(from);
  if (direction === "first") return all[0];
  if (direction === "last") return all.at(-1);
  if (typeof direction === "number") return all[at + direction];
  const box = from.getBoundingClientRect();
  const middle = box.left + box.width / 2;
  const down = direction === "down";
  const beyond = (down ? all.slice(at + 1) : all.slice(0, at).reverse()).map((tile) => ({ tile, box: tile.getBoundingClientRect() }));
  const row = beyond.find((one) => (down ? one.box.top >= box.bottom - 1 : one.box.bottom <= box.top + 1))?.box;
  if (!row) return undefined;
  const inRow = beyond.filter((one) => Math.abs(one.box.top - row.top) < row.height / 2);
  return inRow.reduce((best, one) => (distance(one.box, middle) < distance(best.box, middle) ? one : best)).tile;
}

const distance = (box, middle) => Math.abs(box.left + box.width / 2 - middle);
