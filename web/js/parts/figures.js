/** A model's figures beside those of the model it had to beat, on the same held-out rows. */

import { h } from "../core/dom.js";
import { number, shown } from "../core/format.js";
import { METRICS } from "./metrics.js";
import { gridTable } from "./table.js";

const COLUMNS = [
  { title: "Figure" },
  { title: "This model", right: true },
  { title: "Serving model then", right: true },
  { title: "Difference", right: true },
];

export function figures(model) {
  const rows = Object.values(METRICS)
    .filter((metric) => metric.of(model.metrics, model.baseline) !== null)
    .map((metric) => row(metric, model));
  const calls = [number(model.metrics.calls), number(model.championMetrics?.calls)];
  rows.push(["Clients to call", ...calls, ""]);
  return gridTable("Figures beside the serving model's", COLUMNS, rows, "compare");
}

function row({ title, of, text, difference, good }, { metrics: mine, championMetrics: theirs, baseline }) {
  const value = of(mine, baseline);
  const rival = theirs ? of(theirs, baseline) : null;
  const gained = rival === null ? null : value - rival;
  const verdict = gained * good > 0 ? "better" : gained ? "worse" : null;
  return [
    title,
    shown(value, text(value)),
    shown(rival, text(rival)),
    gained !== null && h("span", { class: verdict }, difference(gained)),
  ];
}
