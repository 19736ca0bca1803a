/** Amounts as bars, the longest as wide as there is room. */

import { h } from "../core/dom.js";

/**
 * @typedef {object} Bar
 * @property {string} label
 * @property {number} value
 * @property {string} text the amount in words
 * @property {Page.Tone} [tone]
 */

/** @param {Bar[]} found @param {number} [least] the amount that a full bar stands for at least */
export function bars(found, least = 0) {
  const widest = Math.max(least, ...found.map((each) => Math.abs(each.value))) || 1;
  return h(
    "ul",
    { class: "bar-chart", "data-wide": true },
    found.map(({ label, value, text, tone = "rest" }) =>
      h(
        "li",
        {},
        h("span", {}, label),
        h("span", { class: "number", title: String(value) }, text),
        h(
          "div",
          { class: "track", "aria-hidden": "true" },
          h("span", {
            class: "bar-fill",
            "data-tone": tone,
            vars: { "--share": (Math.abs(value) / widest).toFixed(4) },
          }),
        ),
      ),
    ),
  );
}
