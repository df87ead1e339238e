// The search bar: words, and a few filters with what there is to choose from.
import { make } from "./dom.js";
import { icon } from "./icons.js";
import { kinds } from "./words.js";

const pause = 250;
const lists = [
  ["backend", "backend", "All models"],
  ["kind", "kind", "All kinds"],
  ["tags", "tag", "All tags"],
];
const spans = [
  ["", "Any time"],
  ["today", "Today"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
  ["365d", "Last year"],
  ["days", "Between two days…"],
];
const names = new Map([
  ["contains", "Contains"],
  ["group", "Comparison"],
  ["lora", "LoRA"],
  ["min_score", "Score from"],
  ["model", "Model"],
  ["parent", "Made from"],
  ["preset", "Preset"],
  ["seed", "Seed"],
  ["since", "From"],
  ["sort", "Order"],
  ["until", "To"],
  ["workflow", "Workflow"],
]);
const shownOfValue = 24;

export class FilterBar {
  constructor(changed) {
    this.changed = changed;
    this.extra = {};
    this.text = make("input", { type: "search", class: "search", placeholder: "Search prompts and tags", "aria-label": "Search prompts and tags", autocomplete: "off", spellcheck: "false", enterkeyhint: "search", oninput: () => this.typed() });
    this.selects = new Map(lists.map(([name, , all]) => [name, this.select(name, all)]));
    this.span = make("select", { "aria-label": "Filter by time", onchange: () => this.spanned() }, spans.map(([value, text]) => make("option", { value, text })));
    this.since = this.dateInput("From");
    this.until = this.dateInput("To");
    this.dates = make("span", { class: "dates", hidden: true }, this.dated("From", this.since), this.dated("to", this.until));
    this.clear = make("button", { class: "link", type: "button", hidden: true, text: "Clear", onclick: () => this.set({}, true) });
    this.chips = make("div", { class: "chips" });
    this.element = make(
      "search",
      { class: "filters" },
      make("label", { class: "search-box" }, icon("search"), this.text, make("kbd", { "aria-hidden": "true", text: "/" })),
      make("div", { class: "choices" }, [...this.selects.values()], this.span, this.dates, this.clear),
      this.chips,
    );
  }

  // What is chosen, as the server takes it.
  get filters() {
    const chosen = {
      text: this.text.value.trim(),
      backend: this.selects.get("backend").value,
      kind: this.selects.get("kind").value,
      tags: this.selects.get("tags").value ? [this.selects.get("tags").value] : [],
      ...this.time,
      ...this.extra,
    };
    return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value.length));
  }

  get time() {
    return this.span.value === "days" ? { since: this.since.value, until: this.until.value } : { since: this.span.value };
  }

  set(filters, tell = false) {
    const { text = "", tags = [], since = "", until = "", backend, kind, ...extra } = filters;
    this.text.value = text;
    this.choose("backend", backend);
    this.choose("kind", kind);
    this.choose("tags", tags[0]);
    this.extra = extra;
    this.chooseTime(since, until);
    this.drawn();
    if (tell) this.changed();
  }

  // Fills the lists with what the gallery has.
  offer(facets) {
    for (const [name, facet, all] of lists) {
      const select = this.selects.get(name);
      const chosen = select.value;
      const options = facets[facet].map(({ value, entries }) => make("option", { value, text: `${kinds[value] ?? value} (${entries.toLocaleString()})` }));
      select.replaceChildren(make("option", { value: "", text: all }), ...options);
      select.hidden = facets[facet].length === 0 && !chosen;
      this.choose(name, chosen);
    }
  }

  // What no list and no date field can show stays in force too, as a chip.
  chooseTime(since, until) {
    const listed = !until && since !== "days" && spans.some(([value]) => value === since);
    this.since.value = isDay(since) ? since : "";
    this.until.value = isDay(until) ? until : "";
    this.span.value = listed ? since : this.since.value || this.until.value ? "days" : "";
    if (since && !listed && !this.since.value) this.extra.since = since;
    if (until && !this.until.value) this.extra.until = until;
  }

  spanned() {
    delete this.extra.since;
    delete this.extra.until;
    this.drawn();
    if (this.span.value === "days") this.since.focus();
    this.changed();
  }

  focus() {
    this.text.focus();
    this.text.select();
  }

  choose(name, value = "") {
    const select = this.selects.get(name);
    if (value && ![...select.options].some((option) => option.value === value)) select.append(make("option", { value, text: kinds[value] ?? value }));
    select.value = value ?? "";
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.told(), pause);
  }

  told() {
    this.drawn();
    this.changed();
  }

  drawn() {
    const filters = this.filters;
    this.clear.hidden = Object.keys(filters).length === 0;
    this.dates.hidden = this.span.value !== "days";
    for (const select of [this.span, ...this.selects.values()]) select.dataset.chosen = String(Boolean(select.value));
    this.chips.replaceChildren(
      ...Object.entries(this.extra).map(([name, value]) =>
        make("button", { class: "chip", type: "button", title: "Remove this filter", onclick: () => this.without(name) }, make("span", { dir: "auto", text: `${names.get(name) ?? name}: ${short(String(value))}` }), icon("close")),
      ),
    );
  }

  without(name) {
    delete this.extra[name];
    this.told();
  }

  select(name, all) {
    return make("select", { "aria-label": all.replace("All ", "Filter by "), onchange: () => this.told() }, make("option", { value: "", text: all }));
  }

  dateInput(label) {
    return make("input", { type: "date", "aria-label": `${label} this day`, onchange: () => this.told() });
  }

  dated(word, input) {
    return make("label", { class: "date" }, make("span", { text: word }), input);
  }
}

const short = (text) => (text.length > shownOfValue ? `${text.slice(0, shownOfValue)}…` : text);

function isDay(text) {
  const time = Date.parse(text);
  return text.length === 10 && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
