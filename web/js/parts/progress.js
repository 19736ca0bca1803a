/** How far a batch is: a bar, the rate, the time left. */

import { h } from "../core/dom.js";
import { compact, duration, number, percent, plural, size } from "../core/format.js";
import { tone } from "../core/states.js";

/** The share of a batch that is done, 0 to 1, or null while that is unknown. @param {Api.Batch} batch */
export function share(batch) {
  if (batch.state === "scored") return 1;
  if (batch.sizeBytes) return Math.min(1, (batch.scoredBytes ?? 0) / batch.sizeBytes);
  if (batch.shards) return (batch.shardsScored ?? 0) / batch.shards;
  return null;
}

/** @param {Api.Batch} batch */
export function progress(batch) {
  const done = share(batch) ?? 0;
  const under =
    batch.state === "scoring"
      ? [
          batch.rowsPerSecond && `${compact(batch.rowsPerSecond)} rows/s`,
          batch.etaSeconds !== undefined && `about ${duration(batch.etaSeconds)} left`,
        ]
      : [batch.rows !== undefined && plural(batch.rows, "row"), batch.sizeBytes && size(batch.sizeBytes)];
  return h(
    "div",
    { class: "progress" },
    h(
      "div",
      {
        class: "track",
        role: "progressbar",
        "aria-label": `${batch.name}: progress`,
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        "aria-valuenow": Math.round(done * 100),
        title: batch.sizeBytes ? `${number(batch.scoredBytes)} of ${number(batch.sizeBytes)} bytes` : null,
      },
      h("span", {
        class: "bar-fill",
        "data-tone": tone(batch.state, "batch") === "bad" ? "bad" : null,
        vars: { "--share": done.toFixed(4) },
      }),
    ),
    h(
      "div",
      { class: "numbers" },
      h("span", {}, percent(done)),
      under.filter(Boolean).map((text) => h("span", {}, text)),
    ),
  );
}
