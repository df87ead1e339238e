// One picture of a grid.
import { icon } from "./icons.js";
import { make } from "./dom.js";
import { altText } from "./words.js";

// A button that paints the card; `extra` are further children (a label, a tick).
export function tile(card, pictures, { press, number = null, label = "", extra = [] }) {
  const canvas = make("canvas", { role: "img", "aria-label": altText(card), width: 0, height: 0 });
  const seen = card.media === "image" || card.media === "video";
  const element = make(
    "button",
    {
      class: "tile",
      type: "button",
      tabindex: "-1",
      title: card.prompt,
      "aria-label": [label, altText(card)].filter(Boolean).join(". "),
      data: { id: card.id, state: seen ? "waiting" : "plain", media: card.media },
      vars: { "--ratio": ratioOf(card) },
      onclick: (event) => press(card, event),
    },
    canvas,
    make("span", { class: "tile-mark" }, icon("file")),
    card.media === "video" && make("span", { class: "tile-play" }, icon("play")),
    number !== null && make("span", { class: "tile-number", "aria-hidden": "true", text: String(number) }),
    extra,
  );
  if (seen) pictures.watch(canvas, card, element);
  return element;
}

export function ratioOf(card) {
  const ratio = card.width && card.height ? card.width / card.height : 1;
  return String(Math.min(Math.max(ratio, 0.4), 3));
}
