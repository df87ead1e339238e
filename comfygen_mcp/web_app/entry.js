// One picture large, with its recipe beside it.
import { make, present } from "./dom.js";
import { icon } from "./icons.js";
import { edgeFor, paint } from "./pictures.js";
import { recipePanel } from "./recipe.js";
import { ratioOf } from "./tiles.js";
import { altText } from "./words.js";

export class EntryView {
  // `actions(card, recipe)` returns the buttons below; `filter` is told what the reader wants to see more of.
  constructor(source, pictures, { actions, filter = null, open = null }) {
    Object.assign(this, { source, pictures, actions, filter, open });
    this.stage = make("div", { class: "stage", data: { state: "waiting" } });
    this.panel = make("aside", { class: "panel", "aria-label": "Recipe" });
    this.element = make("div", { class: "entry" }, this.stage, this.panel);
    this.turn = 0;
  }

  async show(card) {
    this.turn += 1;
    const turn = this.turn;
    this.stopFilm();
    this.stage.dataset.state = "waiting";
    this.stage.replaceChildren(...this.still(card, turn));
    this.panel.replaceChildren(make("p", { class: "quiet", text: "Reading the recipe…" }));
    try {
      const recipe = await this.source.recipe(card.id);
      if (turn === this.turn) this.showRecipe(recipe);
    } catch (error) {
      if (turn === this.turn) this.panel.replaceChildren(make("p", { class: "trouble", role: "alert", text: error.message }));
    }
  }

  close() {
    this.turn += 1;
    this.stopFilm();
  }

  showRecipe(recipe) {
    this.panel.replaceChildren(
      ...present([make("div", { class: "actions" }, this.actions(recipe.card, recipe)), recipePanel(recipe, this.filter), this.family(recipe)]),
    );
    this.panel.scrollTop = 0;
  }

  // The poster or the picture itself; first whatever is at hand, then sharp.
  still(card, turn) {
    if (card.media !== "image" && card.media !== "video") {
      return [make("div", { class: "no-picture" }, icon("file"), make("p", { text: `A file of type ${card.mime}` }))];
    }
    const canvas = make("canvas", { role: "img", "aria-label": altText(card), width: 0, height: 0, vars: { "--ratio": ratioOf(card) } });
    this.sharpen(canvas, card, turn);
    if (card.media === "image") return [canvas];
    const play = make("button", { class: "play", type: "button", "aria-label": "Play the video", onclick: () => this.play(card, turn) }, icon("play"));
    return [canvas, play];
  }

  async sharpen(canvas, card, turn) {
    const large = edgeFor(Math.max(innerWidth * 0.7, 512), this.source.largest);
    for (const edge of [512, large]) {
      try {
        const blob = await this.pictures.blob(card, edge);
        if (turn !== this.turn) return;
        await paint(canvas, blob);
        this.stage.dataset.state = "shown";
      } catch (error) {
        if (turn === this.turn && this.stage.dataset.state !== "shown") this.broken(error);
        return;
      }
    }
  }

  async play(card, turn) {
    const video = make("video", { class: "film", controls: true, autoplay: true, loop: true, playsinline: true, "aria-label": altText(card) });
    const refuse = () => {
      if (turn === this.turn) this.say("This video cannot be played here. Its file is named in the chat, or below.");
    };
    video.muted = true;
    video.addEventListener("error", refuse);
    try {
      this.film = await this.source.film(card);
      if (turn !== this.turn) return;
      video.src = this.film;
      this.stage.querySelector(".play")?.remove();
      this.stage.append(video);
    } catch {
      refuse();
    }
  }

  stopFilm() {
    this.stage.querySelector("video")?.pause();
    if (this.film?.startsWith("blob:")) URL.revokeObjectURL(this.film);
    this.film = null;
  }

  broken(error) {
    this.stage.dataset.state = "broken";
    this.say(error.message);
  }

  say(text) {
    this.stage.querySelector("video")?.remove();
    this.stage.querySelector(".stage-note")?.remove();
    this.stage.append(make("p", { class: "stage-note", role: "status", text }));
  }

  // Where it came from and what was made of it.
  family(recipe) {
    const { card, children } = recipe;
    if (!this.open || (!card.parent_id && !children.length && !card.group_id)) return null;
    const link = (id, text) => make("button", { class: "link", type: "button", text, onclick: () => this.open(id) });
    return make(
      "section",
      { class: "family" },
      card.parent_id && link(card.parent_id, "Made from another picture"),
      children.length > 0 && make("button", { class: "link", type: "button", text: `${children.length} made from this`, onclick: () => this.filter({ parent: card.id }) }),
      card.group_id && make("button", { class: "link", type: "button", text: "All of this comparison", onclick: () => this.filter({ group: card.group_id }) }),
    );
  }
}
