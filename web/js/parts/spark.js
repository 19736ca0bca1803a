/** A small line without axes; the numbers it shows stand beside it. */

import { s } from "../core/dom.js";

/** @param {number[]} values @param {string} label */
export function spark(values, label) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const y = (/** @type {number} */ value) => (high === low ? 15 : 27 - ((value - low) / (high - low)) * 24);
  const x = (/** @type {number} */ place) => (values.length < 2 ? 50 : (place / (values.length - 1)) * 100);
  const line = values
    .map((value, place) => `${place ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`)
    .join("");
  return s(
    "svg",
    { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": label },
    s("path", { class: "area", d: `${line}L100 30L0 30Z` }),
    s("path", { d: line }),
  );
}
