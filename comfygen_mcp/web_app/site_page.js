// The page in a browser: search, days of pictures, and one of them large.
import { Days } from "./days.js";
import { announce, make } from "./dom.js";
import { FilterBar } from "./filters.js";
import { HttpSource, TokenNeeded } from "./http_source.js";
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
    this.count = make("p", { class: "count", role: "status" });
    this.theme = make("button", { class: "ghost", type: "button", onclick: () => this.nextTheme() });
    this.state = make("div", { class: "state" });
    this.more = make("button", { type: "button", class: "more", hidden: true, text: "Show more", onclick: () => this.next() });
    this.content = make("main", {}, this.count, this.days.element, this.state, this.more);
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
    const again = make("button", { type: "button", text: "Try again", onclick: () => this.load() });
    this.state.replaceChildren(make("div", { class: "empty", role: "alert" }, make("p", { dir: "auto", text: error.message }), again));
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
    const id = decodeURIComponent(location.hash.slice(1));
    if (!id || this.signedOut || (this.full.dialog.open && this.full.card?.id === id)) return;
    const card = this.days.cards.find((one) => one.id === id);
    try {
      if (card) this.full.open(card);
      else await this.full.openId(id);
    } catch (error) {
      announce(error.message);
      this.state.replaceChildren(make("div", { class: "empty", role: "alert" }, make("p", { text: error.message })));
      history.replaceState(null, "", location.pathname + location.search);
    }
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
  return make("div", { class: "empty" }, icon("search"), make("h2", { text: "Nothing matches" }), make("p", { text: "Search for fewer words, or leave a filter out." }), make("button", { type: "button", text: "Clear the filters", onclick: clear }));
}

function filtersIn(query) {
  const known = ["text", "backend", "kind", "since", "until", "parent", "group"];
  const filters = Object.fromEntries(known.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
  return query.get("tags") ? { ...filters, tags: query.getAll("tags") } : filters;
}
