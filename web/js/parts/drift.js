/** How far each column of the data has moved, version by version: the population stability index. */

import { h } from "../core/dom.js";
import { digits } from "../core/format.js";
import { bars } from "./bars.js";

/** From here on a column has moved; from there on it has shifted. The usual bounds of credit scoring. */
export const MOVED = 0.1;
export const SHIFTED = 0.25;

/** @param {number} psi */
export const level = (psi) => (psi >= SHIFTED ? "shifted" : psi >= MOVED ? "moved" : "stable");

/**
 * The columns that moved most come first, at most `most` of them.
 * @param {Api.ModelVersion[]} models
 */
export function drift(models, most = 14) {
  const versions = models
    .filter((model) => model.drift?.length)
    .sort((a, b) => a.version - b.version)
    .slice(-12);
  /** @type {Map<string, number>} */
  const columns = new Map();
  for (const model of versions)
    for (const { column, psi } of model.drift ?? []) columns.set(column, Math.max(psi, columns.get(column) ?? 0));
  const sorted = [...columns]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([column]) => column);
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Drift by column and version" },
    h(
      "table",
      { class: "grid-table heat" },
      h(
        "caption",
        { class: "visually-hidden" },
        "Population stability index of each column against the serving model's training rows, by dataset version",
      ),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("td", {}),
          versions.map((model) => h("th", { scope: "col" }, `v${model.version}`)),
        ),
      ),
      h(
        "tbody",
        {},
        sorted.map((column) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, column),
            versions.map((model) => cell(model, column)),
          ),
        ),
      ),
    ),
  );
}

/** @param {Api.ModelVersion} model @param {string} column */
function cell(model, column) {
  const found = model.drift?.find((each) => each.column === column);
  if (!found) return h("td", {});
  const of = level(found.psi);
  return h(
    "td",
    {
      "data-level": of,
      title: `${column}, version ${model.version}: ${found.psi} (${of})`,
      vars: { "--heat": Math.min(0.5, found.psi / MOVED / 2).toFixed(3) },
    },
    digits(found.psi, 2),
  );
}

/** @type {Record<string, Page.Tone>} */
const TONES = { shifted: "bad", moved: "warn", stable: "rest" };

/** One model's drift as bars. @param {Api.ColumnDrift[]} columns */
export function driftBars(columns) {
  const sorted = [...columns].sort((a, b) => b.psi - a.psi);
  return bars(
    sorted.map(({ column, psi }) => ({
      label: column,
      value: psi,
      text: `${digits(psi, 3)} ${level(psi)}`,
      tone: TONES[level(psi)],
    })),
    SHIFTED,
  );
}
