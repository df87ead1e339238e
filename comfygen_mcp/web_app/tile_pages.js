// Cards as pages of tiles that fit into the room there is, without scrolling.
import { make } from "./dom.js";
import { fitted } from "./fit.js";
import { icon } from "./icons.js";
import { arrowKeys, stopAt } from "./keys.js";
import { ratioOf, tile } from "./tiles.js";

export class TilePages {
  constructor(page) {
    this.page = page;
    this.grid = make("div", { class: "tiles", role: "group", "aria-label": "Pictures" });
    this.cards = [];
    this.at = 0;
    arrowKeys(this.grid);
  }

  show(cards, cursor, filters) {
    Object.assign(this, { cards, cursor, filters, at: 0, drawnAs: "" });
    this.page.selection.among(cards);
    this.page.body.replaceChildren(this.grid);
    this.layOut();
  }

  layOut() {
    if (!this.grid.isConnected || !this.cards.length) return;
    const ratio = typicalRatio(this.cards);
    const fit = fitted(this.cards.length + (this.cursor ? 1 : 0), ratio, this.page.room());
    this.perPage = fit.columns * fit.rows;
    this.at = Math.min(this.at, Math.floor((this.cards.length - 1) / this.perPage));
    this.grid.style.setProperty("--columns", String(Math.min(fit.columns, this.cards.length)));
    this.grid.style.setProperty("--size", `${Math.floor(fit.size)}px`);
    this.grid.style.setProperty("--cell", String(ratio));
    this.draw();
  }

  draw() {
    const first = this.at * this.perPage;
    const shown = this.cards.slice(first, first + this.perPage);
    const drawnAs = shown.map((card) => card.id).join();
    if (drawnAs !== this.drawnAs) this.fill(shown, first);
    this.drawnAs = drawnAs;
    this.page.headTools(this.turners(first, shown.length));
  }

  fill(shown, first) {
    const { pictures, selection } = this.page;
    pictures.forget(this.grid);
    const press = (card, event) => this.page.pressed(card, event);
    this.grid.replaceChildren(
      ...shown.map((card, at) => tile(card, pictures, { press, number: first + at + 1, label: `Number ${first + at + 1}`, extra: [selection.mark(card)] })),
    );
    selection.drawn(this.grid);
    stopAt(this.grid);
  }

  turners(first, count) {
    const before = first > 0;
    const after = first + count < this.cards.length || this.cursor;
    if (!before && !after) return [];
    const turner = (name, label, press, possible) => make("button", { class: "ghost", type: "button", title: label, "aria-label": label, disabled: !possible, onclick: press }, icon(name));
    return [
      turner("left", "Previous page", () => this.turnTo(this.at - 1), before),
      make("span", { class: "page-count", text: `${first + 1}–${first + count}` }),
      turner("right", "Next page", () => this.turnTo(this.at + 1), after),
    ];
  }

  async turnTo(at) {
    const enough = (at + 1) * this.perPage;
    try {
      while (this.cursor && this.cards.length < enough) {
        const page = await this.page.source.cards(this.filters, this.cursor, 24);
        this.cards = [...this.cards, ...page.cards];
        this.cursor = page.cursor;
        this.page.selection.among(this.cards);
      }
      this.at = at;
      this.draw();
    } catch (error) {
      this.page.note(error.message);
    }
  }
}

function typicalRatio(cards) {
  const ratios = cards.map((card) => Number(ratioOf(card))).sort((one, other) => one - other);
  return Math.min(Math.max(ratios[Math.floor(ratios.length / 2)], 0.6), 1.9);
}
