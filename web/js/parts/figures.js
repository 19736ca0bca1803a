/** A model's figures beside those of the model it was compared with, on the same held-out rows. */

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

/** @param {Api.ModelVersion} model */
export function figures(model) {
  const rows = Object.values(METRICS)
    .filter((metric) => metric.of(model.metrics, model.baseline) !== undefined)
    .map((metric) => row(metric, model));
  rows.push(["Clients to call", number(model.metrics?.calls), number(model.championMetrics?.calls), ""]);
  return gridTable("Figures beside the serving model's", COLUMNS, rows, "compare");
}

/**
 * @param {import("./metrics.js").Metric} metric
 * @param {Api.ModelVersion} model
 * @returns {Page.Child[]}
 */
function row({ title, of, text, difference, good }, { metrics: mine, championMetrics: theirs, baseline }) {
  const value = of(mine, baseline);
  const rival = of(theirs, baseline);
  const gained = value === undefined || rival === undefined ? undefined : value - rival;
  const verdict = gained && (gained * good > 0 ? "better" : "worse");
  return [
    title,
    shown(value, text(value)),
    shown(rival, text(rival)),
    gained !== undefined && h("span", { class: verdict }, difference(gained)),
  ];
}
