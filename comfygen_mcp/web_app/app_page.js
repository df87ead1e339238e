// The page as an MCP App: shows what a tool returned, tells the model what is selected, asks for variations.
import { announce, make, present } from "./dom.js";
import { EntryView } from "./entry.js";
import { Host, textOf } from "./host.js";
import { icon } from "./icons.js";
import { Pictures } from "./pictures.js";
import { follow, ProgressView } from "./progress.js";
import { filtersOf, shownOf } from "./results.js";
import { cellCards, comparisonTitle, sheet } from "./sheet.js";
import { Selection } from "./selection.js";
import { TilePages } from "./tile_pages.js";
import { ToolsSource } from "./tools_source.js";
import { isRunning } from "./progress.js";
import { countText } from "./words.js";

const inlineHeight = 500;

export class AppPage {
  constructor() {
    this.host = new Host("comfygen-gallery", document.documentElement.dataset.version);
    this.source = new ToolsSource(this.host);
    this.pictures = new Pictures(this.source);
    this.selection = new Selection(() => this.selected());
    this.progress = new ProgressView();
    this.pages = new TilePages(this);
    this.entry = new EntryView(this.source, this.pictures, { actions: (card, recipe) => this.entryActions(card, recipe) });
    this.searched = {};
    this.following = new AbortController();
    this.build();
    this.listen();
  }

  build() {
    this.title = make("h1", { class: "title" });
    this.subtitle = make("p", { class: "subtitle", dir: "auto" });
    this.lead = make("div", { class: "head-lead" });
    this.tools = make("div", { class: "head-tools" });
    this.body = make("div", { class: "body" });
    this.bar = make("div", { class: "select-bar", hidden: true });
    document.body.append(make("header", { class: "head" }, this.lead, make("div", { class: "head-words" }, this.title, this.subtitle), this.tools), this.body, this.bar);
    this.say("Waiting for the result", "");
    document.addEventListener("keydown", (event) => this.key(event));
    // Where a button is pressed by the end of the space key, the beginning has already selected.
    document.addEventListener("keyup", (event) => event.key === " " && event.target.closest?.(".tile") && event.preventDefault());
  }

  listen() {
    this.host.on("ui/notifications/tool-input", ({ arguments: values }) => this.asked(values ?? {}));
    this.host.on("ui/notifications/tool-result", (result) => this.result(result));
    this.host.on("ui/notifications/tool-cancelled", () => this.refusal("The call was cancelled."));
    this.host.on("ui/notifications/host-context-changed", () => this.fitContext());
    this.host.on("ui/resource-teardown", () => this.stop());
  }

  async start() {
    await this.host.connect();
    this.fitContext();
    new ResizeObserver(() => this.tellSize()).observe(document.body);
    addEventListener("resize", () => this.pages.layOut());
    this.tellSize();
  }

  asked(values) {
    this.searched = values;
    this.say("Waiting for the result", values.prompt ?? values.text ?? "");
    this.progress.show("Waiting for the result", null);
    this.body.replaceChildren(this.progress.element);
  }

  result(result) {
    this.stop();
    if (result.isError) this.refusal(textOf(result) || "The call failed.");
    else this.show(shownOf(result.structuredContent), textOf(result));
  }

  // Shows one of the things that results.js tells apart.
  show(shown, text) {
    if (shown.kind === "cards") this.showCards(shown);
    else if (shown.kind === "job") this.showJob(shown.job);
    else if (shown.kind === "comparison") this.showComparison(shown.comparison);
    else if (shown.kind === "refusal") this.refusal(shown.text);
    else this.refusal(text || "There are no pictures in this result.", "Nothing to show");
  }

  showCards(shown) {
    const count = shown.total ?? shown.cards.length;
    const prompts = new Set(shown.cards.map((card) => card.prompt));
    this.say(count ? countText(count, shown.cards.every((card) => card.media === "video") ? "video" : "picture") : "No pictures", prompts.size === 1 ? [...prompts][0] : "");
    if (!shown.cards.length) this.refusal("Nothing in the gallery matches.", "No pictures");
    else this.pages.show(shown.cards, shown.cursor, filtersOf(this.searched));
  }

  showJob(job) {
    this.say("Making a picture", job.prompt);
    this.progress.showJob(job);
    this.body.replaceChildren(this.progress.element);
    this.followUntilEnd(job.job_id);
  }

  showComparison(comparison) {
    this.say(comparisonTitle(comparison), this.searched.prompt ?? "");
    this.pictures.forget(this.body);
    const cards = cellCards(comparison);
    this.selection.among(cards);
    const grid = sheet(comparison, {
      pictures: this.pictures,
      press: (card, event) => this.pressed(card, event),
      tick: (card) => this.selection.mark(card),
      room: this.room(),
    });
    this.body.replaceChildren(grid);
    this.selection.drawn(grid);
    this.headTools([]);
    if (isRunning(comparison.status) && comparison.comparison_id) {
      this.progress.show(`${comparison.done} of ${comparison.total} cells`, Math.round((100 * (comparison.done + comparison.failed)) / comparison.total));
      this.body.prepend(this.progress.element);
      this.followUntilEnd(comparison.comparison_id);
    }
  }

  followUntilEnd(id) {
    if (this.followed === id && !this.following.signal.aborted) return;
    this.following = new AbortController();
    this.followed = id;
    const { signal } = this.following;
    follow(this.source, id, (answer) => this.followedOn(answer), signal).catch((error) => {
      if (!signal.aborted) this.refusal(error.message, "The progress cannot be followed here");
    });
  }

  followedOn(answer) {
    const shown = shownOf(answer);
    if (shown.kind === "job") this.progress.showJob(shown.job);
    else {
      this.show(shown, "");
      if (shown.kind === "cards") announce("The pictures are ready.");
    }
  }

  refusal(text, title = "No pictures") {
    this.say(title, "");
    this.headTools([]);
    this.body.replaceChildren(make("p", { class: "trouble", role: "status", dir: "auto", text }));
  }

  // A press selects; twice, or Enter, opens.
  pressed(card, event) {
    if (event.detail === 0 || event.detail >= 2) this.open(card);
    else this.selection.turn(card);
  }

  open(card) {
    this.opened = card;
    this.behind = [...this.body.children];
    this.body.replaceChildren(this.entry.element);
    this.headTools([]);
    this.lead.replaceChildren(this.button("left", "Back to all", () => this.back()));
    this.bar.hidden = true;
    this.entry.show(card);
    this.lead.firstChild.focus();
  }

  back() {
    this.entry.close();
    this.body.replaceChildren(...this.behind);
    this.behind = null;
    this.lead.replaceChildren();
    this.pages.layOut();
    this.selected(false);
    document.querySelector(`.tile[data-id="${CSS.escape(this.opened.id)}"]`)?.focus();
  }

  entryActions(card, recipe) {
    return [
      make("button", { class: "primary", type: "button", onclick: () => this.vary([card]) }, icon("wand"), "Make variations"),
      this.host.abilities.openLinks && recipe.download_url && this.button("download", "Open the file", () => this.host.request("ui/open-link", { url: recipe.download_url }).catch(() => announce("The host refused."))),
    ];
  }

  selected(tell = true) {
    const cards = this.selection.cards;
    this.bar.hidden = cards.length === 0 || Boolean(this.behind);
    this.bar.replaceChildren(
      ...present([
        make("span", { class: "select-count", text: `${cards.length} selected` }),
        this.button("close", "Clear the selection", () => this.selection.clear()),
        cards.length === 1 && make("button", { type: "button", onclick: () => this.open(cards[0]) }, icon("expand"), "Open"),
        make("button", { class: "primary", type: "button", onclick: () => this.vary(cards) }, icon("wand"), "Make variations"),
      ]),
    );
    if (tell) this.tellSelected(cards);
  }

  tellSelected(cards) {
    const ids = cards.map((card) => card.id);
    const text = ids.length ? `In the gallery the user selected generation ${ids.join(", ")}.` : "In the gallery nothing is selected.";
    this.host
      .request("ui/update-model-context", { content: [{ type: "text", text }], structuredContent: { selected_generation_ids: ids } })
      .catch(() => {});
    announce(ids.length ? `${ids.length} selected` : "Nothing selected");
  }

  async vary(cards) {
    const ids = cards.map((card) => card.id).join(", ");
    const text = `Make 4 variations of generation ${ids}.`;
    try {
      await this.host.request("ui/message", { role: "user", content: [{ type: "text", text }] });
      announce("Asked for variations.");
    } catch (error) {
      this.note(`The host did not take the message: ${error.message}`);
    }
  }

  key(event) {
    if (event.key === "Escape" && this.behind) this.back();
    else if (event.key === "Escape") this.selection.clear();
    else if (event.key === " " && event.target.closest?.(".tile")) {
      event.preventDefault();
      if (!event.repeat) this.selection.turnId(event.target.closest(".tile").dataset.id);
    }
  }

  button(name, label, press) {
    return make("button", { class: "ghost", type: "button", title: label, "aria-label": label, onclick: press }, icon(name));
  }

  headTools(buttons) {
    const modes = this.host.context.availableDisplayModes ?? [];
    const wide = this.host.context.displayMode === "fullscreen";
    const grow = !wide && modes.includes("fullscreen") && this.button("expand", "Full screen", () => this.grow());
    this.tools.replaceChildren(...present([buttons, grow]));
  }

  async grow() {
    const { mode } = await this.host.request("ui/request-display-mode", { mode: "fullscreen" });
    this.host.context.displayMode = mode;
    this.fitContext();
  }

  fitContext() {
    const { theme, styles, displayMode, containerDimensions: box } = this.host.context;
    const root = document.documentElement;
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    for (const [name, value] of Object.entries(styles?.variables ?? {})) if (name.startsWith("--") && value) root.style.setProperty(name, value);
    root.dataset.mode = displayMode ?? "inline";
    const given = box?.height ?? Math.min(box?.maxHeight ?? inlineHeight, inlineHeight);
    root.style.setProperty("--room", displayMode === "fullscreen" ? "100vh" : `${given}px`);
    this.pages.layOut();
  }

  room() {
    const height = document.documentElement.dataset.mode === "fullscreen" ? innerHeight : parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--room")) || inlineHeight;
    return { width: this.body.clientWidth, height: height - 128 };
  }

  tellSize() {
    const { width, height } = document.body.getBoundingClientRect();
    this.host.notify("ui/notifications/size-changed", { width: Math.ceil(width), height: Math.ceil(height) });
  }

  note(text) {
    this.subtitle.textContent = text;
    announce(text);
  }

  say(title, subtitle) {
    this.title.textContent = title;
    this.subtitle.textContent = subtitle;
    this.subtitle.title = subtitle;
  }

  stop() {
    this.following.abort();
    this.entry.close();
    this.lead.replaceChildren();
    this.behind = null;
  }
}
