/** What is known of one thing: short label, value. */

import { h } from "../core/dom.js";

/** pairs: [[label, nodes, big?], ...]; those without a value are left out */
export function facts(pairs, classes = "facts") {
  const there = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "dl",
    { class: classes },
    there.map(([label, value, big]) =>
      h("div", { class: big ? "big" : null }, h("dt", {}, label), h("dd", {}, value)),
    ),
  );
}

/** Where things lie: long names, each on a line of its own. */
export const places = (pairs) => facts(pairs, "facts places");

/** The sentence that says why a thing is as it is. */
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
