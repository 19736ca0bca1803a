/** A difference with its 95 % interval, around zero: is the new model better, and how sure is that? */

import { s } from "../core/dom.js";
import { signed } from "../core/format.js";

const WIDE = 560;
const HIGH = 92;

/** @param {Api.ModelComparison} comparison */
export function interval({ logLossDifference: mean, low, high }) {
  const reach = Math.max(Math.abs(low), Math.abs(high), Math.abs(mean)) * 1.25 || 1;
  const x = (/** @type {number} */ value) => WIDE / 2 + (value / reach) * (WIDE / 2 - 20);
  const label = `Log loss against the serving model: ${signed(mean, 4)}, between ${signed(low, 4)} and ${signed(high, 4)} with 95 % confidence. Below zero the new model is better.`;
  return s(
    "svg",
    { class: "interval", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": label },
    s("line", { class: "axis", x1: 8, x2: WIDE - 8, y1: 62, y2: 62 }),
    s("line", { class: "zero", x1: x(0), x2: x(0), y1: 12, y2: 70 }),
    s("line", { class: "range", x1: x(low), x2: x(high), y1: 36, y2: 36 }),
    s("circle", { class: "mean", cx: x(mean), cy: 36, r: 6 }),
    s("text", { x: x(mean), y: 18, "text-anchor": "middle" }, signed(mean, 4)),
    s("text", { x: x(low), y: 56, "text-anchor": "middle" }, signed(low, 4)),
    s("text", { x: x(high), y: 56, "text-anchor": "middle" }, signed(high, 4)),
    s("text", { x: 10, y: 82 }, "← the new model is better"),
    s("text", { x: WIDE - 10, y: 82, "text-anchor": "end" }, "the serving model is better →"),
  );
}
