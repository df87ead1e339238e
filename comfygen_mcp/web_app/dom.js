// Elements built from values; text goes in as text, never as markup.

export function make(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

export function makeSvg(tag, properties = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value);
  element.append(...present(children));
  return element;
}

// What is really there; `condition && element` may leave false or null behind.
export const present = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "");

function setProperty(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "text") element.textContent = value;
  else if (name === "value") element.value = value;
  else if (name === "data") Object.assign(element.dataset, value);
  else if (name === "vars") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
  else element.setAttribute(name, value === true ? "" : value);
}

// What a screen reader is told without anything moving; made once.
let live = null;
export function announce(text) {
  live ??= document.body.appendChild(make("div", { class: "unseen", role: "status", "aria-live": "polite" }));
  live.textContent = text;
}
