// Which pictures are selected; ticks on the tiles show it.
import { make } from "./dom.js";
import { icon } from "./icons.js";

export class Selection {
  constructor(changed) {
    this.changed = changed;
    this.known = new Map();
    this.chosen = new Set();
  }

  // The pictures that can be selected; what was selected before and is still there, stays so.
  among(cards) {
    this.known = new Map(cards.map((card) => [card.id, card]));
    const gone = [...this.chosen].filter((id) => !this.known.has(id));
    for (const id of gone) this.chosen.delete(id);
    if (gone.length) this.changed();
  }

  get cards() {
    return [...this.known.values()].filter((card) => this.chosen.has(card.id));
  }

  mark() {
    return make("span", { class: "tick", "aria-hidden": "true" }, icon("check"));
  }

  turn(card) {
    this.turnId(card.id);
  }

  turnId(id) {
    if (this.chosen.has(id)) this.chosen.delete(id);
    else this.chosen.add(id);
    this.drawn(document);
    this.changed();
  }

  clear() {
    if (!this.chosen.size) return;
    this.chosen.clear();
    this.drawn(document);
    this.changed();
  }

  drawn(root) {
    for (const tile of root.querySelectorAll(".tile")) tile.setAttribute("aria-pressed", String(this.chosen.has(tile.dataset.id)));
  }
}
