/** What is known of one thing: short label, value. */

import { h } from "../core/dom.js";

/** @typedef {[label: string, value: Page.Child, big?: boolean]} Pair */

/** Those without a value are left out. @param {Pair[]} pairs */
export function facts(pairs, classes = "facts") {
  const there = pairs.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  return h(
    "dl",
    { class: classes },
    there.map(([label, value, big]) =>
      h("div", { class: big ? "big" : null }, h("dt", {}, label), h("dd", {}, value)),
    ),
  );
}

/**
 * The trace that a record was begun in, to be looked up where traces are kept.
 * @param {{ traceId?: string }} record
 * @returns {Pair}
 */
export const traced = ({ traceId }) => ["Trace", traceId && h("code", {}, traceId)];

/** Where things lie: long names, each on a line of its own. @param {Pair[]} pairs */
export const places = (pairs) => facts(pairs, "facts places");

/**
 * The sentence that says why a thing is as it is.
 * @param {string | undefined} text
 * @param {Page.Tone} [tone]
 * @param {Page.Child} [next] what to do about it
 */
export function reason(text, tone = "rest", next = null) {
  return (
    text &&
    h(
      "div",
      { class: "reason", "data-tone": tone },
      h("p", {}, text),
      next && h("p", { class: "hint" }, next),
    )
  );
}
