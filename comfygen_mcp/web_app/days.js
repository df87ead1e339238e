// Cards of one search, under the days on which they were made, or the months where a day has few (today and yesterday
// are named always); the list only grows.
import { make } from "./dom.js";
import { arrowKeys, stopAt } from "./keys.js";
import { tile } from "./tiles.js";
import { dayText, monthText } from "./words.js";

const fewPerDay = 4;

export class Days {
  constructor(pictures, press) {
    this.pictures = pictures;
    this.press = press;
    this.element = make("div", { class: "days" });
    this.cards = [];
    arrowKeys(this.element);
  }

  clear() {
    this.pictures.forget(this.element);
    this.element.replaceChildren();
    this.cards = [];
    this.day = "";
  }

  add(cards) {
    const first = this.cards.length === 0;
    this.cards.push(...cards);
    if (first) this.name = nameFor(cards);
    for (const card of cards) {
      const day = this.name(new Date(card.created_at));
      if (day !== this.day) this.begin(day);
      this.row.append(tile(card, this.pictures, { press: this.press }));
    }
    if (first) stopAt(this.element);
  }

  // The card before or after, as they are shown.
  beside(card, step) {
    const at = this.cards.findIndex((one) => one.id === card.id);
    return at < 0 ? undefined : this.cards[at + step];
  }

  focus(id) {
    const found = this.element.querySelector(`.tile[data-id="${CSS.escape(id)}"]`);
    found?.focus();
    return Boolean(found);
  }

  begin(day) {
    this.day = day;
    this.row = make("div", { class: "row", role: "group", "aria-label": day });
    this.element.append(make("h2", { class: "day", text: day }), this.row);
  }
}

function nameFor(cards) {
  const days = new Set(cards.map((card) => dayText(new Date(card.created_at))));
  return days.size * fewPerDay > cards.length ? monthText : dayText;
}
