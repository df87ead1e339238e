// Asks for the token, once for as long as the tab is open.
import { make } from "./dom.js";
import { icon } from "./icons.js";

// `try_(token)` resolves when the token is good, and rejects with what to say otherwise.
export function signIn(try_, reason) {
  const field = make("input", { type: "password", id: "token", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "token-hint" });
  const trouble = make("p", { class: "trouble", role: "alert", text: reason });
  const button = make("button", { class: "primary", type: "submit", text: "Open the gallery" });
  const form = make(
    "form",
    { class: "sign-in", onsubmit: submitted },
    icon("lock"),
    make("h1", { text: "This gallery is private" }),
    make("label", { for: "token", text: "Token" }),
    field,
    make("p", { class: "quiet", id: "token-hint", text: "It is the one that the server was started with. It stays in this tab and is forgotten when you close it." }),
    button,
    trouble,
  );
  async function submitted(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      await try_(field.value.trim());
    } catch (error) {
      trouble.textContent = error.message;
      field.select();
    } finally {
      button.disabled = false;
    }
  }
  return { form, focus: () => field.focus() };
}
