/** The verdict on a model: the reason in a sentence, and how sure the difference is. */

import { h } from "../core/dom.js";
import { number, percent } from "../core/format.js";
import { facts, reason } from "./facts.js";
import { interval } from "./interval.js";
import { verdictTone } from "./metrics.js";
import { panel } from "./panel.js";

/** @param {Api.ModelVersion} model */
export function verdict(model) {
  return panel(
    { title: "The verdict" },
    h(
      "div",
      { class: "stack" },
      reason(model.reason, verdictTone(model)),
      model.comparison && interval(model.comparison),
      model.comparison &&
        facts([
          ["Better with probability", percent(model.comparison.probabilityBetter, 1), true],
          ["Held-out rows", number(model.metrics?.rows), true],
          ["Resamples", number(model.comparison.resamples)],
        ]),
    ),
  );
}
