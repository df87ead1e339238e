// The page in a browser: search, days of pictures, and one of them large.
import { Days } from "./days.js";
import { make } from "./dom.js";
import { FilterBar } from "./filters.js";
import { HttpSource, Refused, TokenNeeded } from "./http_source.js";
import { icon } from "./icons.js";
import { Pictures } from "./pictures.js";
import { signIn } from "./sign_in.js";
import { SiteEntry } from "./site_entry.js";
import { countText } from "./words.js";

const perPage = 60;
const themes = ["system", "light", "dark"];

export class SitePage {
  constructor() {
    this.source = new HttpSource(location.href);
    this.pictures = new Pictures(this.source);
    this.bar = new FilterBar(() => this.search());
    this.days = new Days(this.pictures, (card) => this.full.open(card));
    this.turn = 0;
    this.build();
    this.full = new SiteEntry(this.source, this.pictures, {
      beside: (card, step) => this.beside(card, step),
      closed: (id) => this.days.focus(id),
      filter: (filters) => this.bar.set(filters, true),
    });
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => this.openHash());
  }

  build() {
    this.notice = make("div");
    this.count = make("p", { class: "count", role: "status" });
    this.theme = make("button", { class: "ghost", type: "button", onclick: () => this.nextTheme() });
    this.state = make("div", { class: "state" });
    this.more = make("button", { type: "button", class: "more", hidden: true, text: "Show more", onclick: () => this.next() });
    this.content = make("main", {}, this.notice, this.count, this.days.element, this.state, this.more);
    this.head = make("header", { class: "site-head" }, make("h1", { class: "brand" }, icon("grid"), "Gallery"), this.bar.element, this.theme);
    document.body.append(this.head, this.content);
    new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.next(), { rootMargin: "1200px 0px" }).observe(this.more);
    this.showTheme(localStorage.getItem("theme") ?? "system");
  }

  async start() {
    this.bar.set(filtersIn(new URLSearchParams(location.search)));
    await this.load();
  }

  async load() {
    await Promise.all([this.search(), this.offer()]);
    await this.openHash();
  }

  async offer() {
    try {
      this.bar.offer(await this.source.facets());
    } catch (error) {
      // Without the lists the search still works; why they are missing, the search says.
      if (!(error instanceof TokenNeeded)) console.debug(error.message);
    }
  }

  async search() {
    this.turn += 1;
    this.filters = this.bar.filters;
    this.cursor = null;
    const query = new URLSearchParams(Object.entries(this.filters).flatMap(([name, value]) => [value].flat().map((one) => [name, one])));
    history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
    this.days.element.dataset.state = "old";
    await this.page(true);
  }

  async next() {
    if (!this.loading && this.cursor) await this.page(false);
  }

  // Fetches a page and shows it, unless another search has begun meanwhile.
  async page(first) {
    const { turn, cursor } = this;
    this.loading = true;
    try {
      const page = await this.source.cards(this.filters, cursor, perPage);
      if (turn !== this.turn) return;
      if (first) this.begin(page);
      this.days.add(page.cards);
      this.cursor = page.cursor;
      this.more.hidden = !page.cursor;
    } catch (error) {
      if (turn === this.turn) this.trouble(error);
    } finally {
      if (turn === this.turn) this.loading = false;
    }
    this.again();
  }

  // A window taller than a page wants the next one at once: the observer tells only of changes.
  again() {
    if (this.cursor && !this.loading && this.more.getBoundingClientRect().top < innerHeight + 600) this.next();
  }

  begin(page) {
    this.signedOut = false;
    this.days.clear();
    delete this.days.element.dataset.state;
    scrollTo(0, 0);
    this.head.hidden = false;
    const searching = Object.keys(this.filters).length > 0;
    this.count.textContent = page.total ? `${page.more ? "More than " : ""}${countText(page.total, "picture")}` : "";
    this.state.replaceChildren(...(page.cards.length ? [] : [empty(searching, () => this.bar.set({}, true))]));
  }

  trouble(error) {
    this.more.hidden = true;
    delete this.days.element.dataset.state;
    if (error instanceof TokenNeeded) {
      this.askForToken();
      return;
    }
    const clear = () => this.bar.set({}, true);
    this.state.replaceChildren(error instanceof Refused ? refusal(error, clear) : failure(error, () => this.load()));
    if (!this.cursor) {
      this.days.clear();
      this.count.textContent = "";
    }
  }

  askForToken() {
    const before = this.source.token;
    this.source.token = null;
    this.days.clear();
    this.head.hidden = true;
    this.count.textContent = "";
    if (this.signedOut) return;
    this.signedOut = true;
    const { form, focus } = signIn((token) => this.tryToken(token), before ? "The token is no longer good." : "");
    this.state.replaceChildren(form);
    focus();
  }

  async tryToken(token) {
    this.source.token = token;
    try {
      await this.source.facets();
    } catch (error) {
      this.source.token = null;
      throw error instanceof TokenNeeded ? new Error("That is not the token of this server.") : error;
    }
    this.state.replaceChildren();
    await this.load();
  }

  async openHash() {
    const id = location.hash.slice(1);
    if (!id || this.signedOut || (this.full.dialog.open && this.full.card?.id === id)) return;
    const card = this.days.cards.find((one) => one.id === id);
    try {
      if (card) this.full.open(card);
      else await this.full.openId(id);
      this.notice.replaceChildren();
    } catch (error) {
      this.note(error instanceof Refused && error.notThere ? "This picture is not here (any more)." : "This picture could not be opened.", error.message);
      history.replaceState(null, "", location.pathname + location.search);
    }
  }

  // A word above the pictures, until it is put away.
  note(text, reason) {
    const away = make("button", { class: "ghost", type: "button", "aria-label": "Dismiss", title: "Dismiss", onclick: () => this.notice.replaceChildren() }, icon("close"));
    const words = make("div", { class: "notice-words" }, make("p", { text }), make("details", { class: "quiet" }, make("summary", { text: "Details" }), make("p", { dir: "auto", text: reason })));
    this.notice.replaceChildren(make("div", { class: "notice", role: "alert" }, words, away));
  }

  beside(card, step) {
    const found = this.days.beside(card, step);
    if (step > 0 && !this.days.beside(card, 5)) this.next();
    return found;
  }

  key(event) {
    const typing = event.target.closest?.("input, select, textarea, dialog");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.bar.focus();
    } else if (this.entersPictures(event)) {
      event.preventDefault();
      this.days.element.querySelector('.tile[tabindex="0"]')?.focus();
    }
  }

  // From the search field, or from nowhere: up and down stay with the page, which they scroll.
  entersPictures(event) {
    if (event.key === "Escape") return event.target === this.bar.text;
    return event.target === document.body && ["ArrowLeft", "ArrowRight"].includes(event.key);
  }

  nextTheme() {
    this.showTheme(themes[(themes.indexOf(this.chosenTheme) + 1) % themes.length]);
    localStorage.setItem("theme", this.chosenTheme);
  }

  showTheme(theme) {
    this.chosenTheme = themes.includes(theme) ? theme : "system";
    if (this.chosenTheme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.chosenTheme;
    const label = `Colours: ${this.chosenTheme === "system" ? "as the system" : this.chosenTheme}`;
    this.theme.replaceChildren(icon(this.chosenTheme));
    this.theme.setAttribute("aria-label", label);
    this.theme.title = label;
  }
}

function empty(searching, clear) {
  if (!searching) return make("div", { class: "empty" }, icon("grid"), make("h2", { text: "No pictures yet" }), make("p", { text: "What an agent makes with generate_image appears here." }));
  return nothing("Nothing matches", make("p", { text: "Search for fewer words, or leave a filter out." }), clear);
}

// The server has no such value, or cannot search for it: to ask again would not help.
function refusal(error, clear) {
  const heading = error.notThere ? "Nothing matches" : "This cannot be searched for";
  return nothing(heading, make("p", { role: "alert", dir: "auto", text: error.message }), clear);
}

function nothing(heading, why, clear) {
  return make("div", { class: "empty" }, icon("search"), make("h2", { text: heading }), why, make("button", { type: "button", text: "Clear the filters", onclick: clear }));
}

function failure(error, again) {
  return make("div", { class: "empty", role: "alert" }, make("p", { dir: "auto", text: error.message }), make("button", { type: "button", text: "Try again", onclick: again }));
}

// All that the address asks for: what has no field of its own is shown as a chip, and the server says what it does not know.
function filtersIn(query) {
  const { tag = [], tags = tag, cursor, limit, ...rest } = Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name).filter(Boolean)]));
  const single = Object.fromEntries(Object.entries(rest).filter(([, values]) => values.length).map(([name, values]) => [name, values[0]]));
  return tags.length ? { ...single, tags } : single;
}
