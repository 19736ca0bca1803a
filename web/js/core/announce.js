/** Says things: aloud for screen readers, and as a note in the corner for everybody. */

import { element, h } from "./dom.js";

const LONG = 7000;

/** For screen readers only; the same sentence twice is said once. @param {string} sentence */
export function say(sentence) {
  const place = document.getElementById("said");
  if (place && place.textContent !== sentence) place.textContent = sentence;
}

/**
 * A note that goes away by itself.
 * @param {string} sentence
 * @param {{ tone?: "ok" | "bad", link?: { href: string, text: string } }} [how]
 */
export function note(sentence, { tone = "ok", link } = {}) {
  const toast = h(
    "div",
    { class: "toast", "data-tone": tone },
    sentence,
    link && [" ", h("a", { href: link.href }, link.text)],
  );
  element("toasts").append(toast);
  setTimeout(() => toast.remove(), tone === "bad" ? 2 * LONG : LONG);
}
