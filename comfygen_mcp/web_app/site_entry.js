// The full view of the page in a browser: a dialog over the grid, with the neighbours on its sides.
import { make } from "./dom.js";
import { EntryView } from "./entry.js";
import { icon } from "./icons.js";

export class SiteEntry {
  // `beside(card, step)` returns a neighbour, `closed(id)` is told at the end.
  constructor(source, pictures, { beside, closed, filter }) {
    Object.assign(this, { source, beside, closed });
    const choose = (filters) => {
      this.dialog.close();
      filter(filters);
    };
    this.view = new EntryView(source, pictures, { actions: (card, recipe) => this.actions(recipe), filter: choose, open: (id) => this.openId(id) });
    this.before = this.side("left", "Previous", -1);
    this.after = this.side("right", "Next", 1);
    const close = make("button", { class: "ghost close", type: "button", "aria-label": "Close", title: "Close (Esc)", onclick: () => this.dialog.close() }, icon("close"));
    this.dialog = make("dialog", { class: "full", "aria-label": "Picture", tabindex: "-1" }, this.view.element, this.before, this.after, close);
    this.dialog.addEventListener("close", () => this.ended());
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    document.body.append(this.dialog);
  }

  open(card) {
    this.card = card;
    if (location.hash !== `#${card.id}`) history.replaceState(null, "", `#${card.id}`);
    this.before.disabled = !this.beside(card, -1);
    this.after.disabled = !this.beside(card, 1);
    this.attend();
    this.view.show(card);
  }

  // Focus begins at the dialog itself, not at one of its buttons, and never stays at one that was switched off.
  attend() {
    const opened = !this.dialog.open;
    if (opened) this.dialog.showModal();
    if (opened || document.activeElement?.disabled) this.dialog.focus();
  }

  // An id from the address, or of a relative: what it is comes with the recipe.
  async openId(id) {
    try {
      const { card } = await this.source.recipe(id);
      this.open(card);
    } catch (error) {
      if (!this.dialog.open) throw error;
      this.view.say(error.message);
    }
  }

  step(by) {
    const card = this.card && this.beside(this.card, by);
    if (card) this.open(card);
  }

  key(event) {
    if (event.target.closest("video, input, textarea") || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft") this.step(-1);
    if (event.key === "ArrowRight") this.step(1);
  }

  ended() {
    this.view.close();
    history.replaceState(null, "", location.pathname + location.search);
    this.closed(this.card.id);
  }

  actions(recipe) {
    const href = recipe.download_url;
    return [
      make("a", { class: "button primary", href, download: recipe.file_name }, icon("download"), "Download"),
      make("a", { class: "button", href, target: "_blank", rel: "noreferrer noopener" }, icon("expand"), "Original"),
    ];
  }

  side(name, label, by) {
    return make("button", { class: `ghost side side-${name}`, type: "button", "aria-label": label, title: label, onclick: () => this.step(by) }, icon(name));
  }
}
