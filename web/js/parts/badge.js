/** A state as a word with a colour and a mark. */

import { h } from "../core/dom.js";
import { stateWords, tone } from "../core/states.js";

export function badge(state, kind) {
  return h("span", { class: "badge", "data-tone": tone(state, kind) }, stateWords(state, kind));
}
