// What made a picture, to be read and copied.
import { announce, make } from "./dom.js";
import { icon } from "./icons.js";
import { bytesText, kinds, loraText, secondsText, sizeText, timeText } from "./words.js";

export function recipePanel(recipe, filter = null) {
  const { card } = recipe;
  return make(
    "div",
    { class: "recipe" },
    words("Prompt", recipe.prompt || "(none)", recipe.prompt),
    codes("Seed", card.seed),
    recipe.negative_prompt && words("Negative prompt", recipe.negative_prompt, recipe.negative_prompt),
    make("dl", { class: "facts" }, facts(recipe).map(([name, value]) => fact(name, value))),
    card.tags.length > 0 && tagRow(card.tags, filter),
    recipe.notes.map((note) => make("p", { class: "note", text: note })),
    codes("Id", card.id),
  );
}

export function copyButton(what, text) {
  const button = make(
    "button",
    { class: "ghost", type: "button", title: `Copy ${what}`, "aria-label": `Copy ${what}`, onclick: copyIt },
    icon("copy"),
  );
  async function copyIt() {
    const done = await copied(text);
    button.replaceChildren(icon(done ? "check" : "close"));
    announce(done ? `${what} copied` : `${what} could not be copied`);
    setTimeout(() => button.replaceChildren(icon("copy")), 1500);
  }
  return button;
}

// Where the clipboard is closed to pages (no HTTPS, a frame), the old command still is not.
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const place = make("textarea", { class: "unseen", value: text });
    (document.querySelector("dialog[open]") ?? document.body).append(place);
    place.select();
    const done = document.execCommand("copy");
    place.remove();
    return done;
  }
}

function words(name, shown, whole) {
  return make(
    "section",
    { class: "words" },
    make("header", {}, make("h3", { text: name }), whole && copyButton(name.toLowerCase(), whole)),
    make("p", { class: "prompt", dir: "auto", text: shown }),
  );
}

function facts(recipe) {
  const { card } = recipe;
  const sampler = [recipe.sampler, recipe.scheduler].filter(Boolean).join(" / ");
  const film = recipe.frames ? `${recipe.frames}${recipe.fps ? ` at ${recipe.fps} per second` : ""}` : "";
  return [
    ["Model", card.model],
    ["File", recipe.model_file === card.model ? "" : recipe.model_file],
    ["Kind", kinds[card.kind] ?? card.kind],
    ["Size", [sizeText(card), bytesText(card.size_bytes)].filter(Boolean).join(", ")],
    ["Steps", recipe.steps],
    ["CFG", recipe.cfg],
    ["Sampler", sampler],
    ["Denoise", recipe.denoise],
    ["Frames", film],
    ["LoRAs", recipe.loras.map(loraText).join(", ")],
    ["Preset", recipe.preset],
    ["Style", recipe.style],
    ["Score", card.score],
    ["Workflow", recipe.workflow],
    ["Made", timeText(new Date(card.created_at))],
    ["Took", secondsText(recipe.latency_ms / 1000)],
    ["ComfyUI", card.preview_engine ? "preview engine, no diffusion model ran" : recipe.comfyui_version],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
}

function fact(name, value) {
  return [make("dt", { text: name }), make("dd", { dir: "auto", text: String(value) })];
}

function tagRow(tags, filter) {
  const one = (tag) =>
    filter
      ? make("button", { class: "tag", type: "button", dir: "auto", text: tag, onclick: () => filter({ tags: [tag] }) })
      : make("span", { class: "tag", dir: "auto", text: tag });
  return make("div", { class: "tags", "aria-label": "Tags" }, tags.map(one));
}

function codes(name, value) {
  const code = make("div", { class: "code" }, make("span", { class: "code-name", text: name }), make("code", { text: value }), copyButton(name.toLowerCase(), value));
  return make("div", { class: "codes" }, code);
}
