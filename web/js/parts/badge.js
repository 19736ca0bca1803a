/** A state as a word with a colour and a mark. */

import { h } from "../core/dom.js";
import { recordTone, recordWords, stateWords, tone } from "../core/states.js";

/**
 * @template {Page.Kind | Page.StatusKind} K
 * @param {Page.StateOf<K>} state
 * @param {K} kind
 */
export function badge(state, kind) {
  return h("span", { class: "badge", "data-tone": tone(state, kind) }, stateWords(state, kind));
}

/** The same of a record. @param {Page.Stateful} record */
export function recordBadge(record) {
  return h("span", { class: "badge", "data-tone": recordTone(record) }, recordWords(record));
}
