/** How a batch's scores are spread: clients in each tenth of probability as the model was trained to see it. */

import { h } from "../core/dom.js";
import { number, percent } from "../core/format.js";

/** @param {number[]} counts the lowest decile first */
export function deciles(counts) {
  const most = Math.max(...counts, 1);
  const all = counts.reduce((sum, count) => sum + count, 0) || 1;
  const label = counts.map((count, place) => `decile ${place + 1}: ${number(count)}`).join(", ");
  return h(
    "ol",
    { class: "deciles", "aria-label": `Clients by decile. ${label}` },
    counts.map((count, place) =>
      h(
        "li",
        { title: `Decile ${place + 1}: ${number(count)} clients, ${percent(count / all, 1)}` },
        h("span", {
          class: "pillar",
          vars: { "--share": (count / most).toFixed(4), "--place": (place / 9).toFixed(2) },
        }),
        h("span", { "aria-hidden": "true" }, place + 1),
      ),
    ),
  );
}
