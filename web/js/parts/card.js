/** A model's card: what it learned from, how good it is and for whom, what matters to it, and what names it by content. */

import { h } from "../core/dom.js";
import { digits, number, percent, plural, signed } from "../core/format.js";
import { to, uploadName } from "../core/router.js";
import { bars } from "./bars.js";
import { driftBars } from "./drift.js";
import { facts, places } from "./facts.js";
import { figures } from "./figures.js";
import { nothing, panel } from "./panel.js";
import { gridTable } from "./table.js";
import { verdict } from "./verdict.js";

/**
 * What training wrote is passed through by the API; these parts of it are shown.
 * @typedef {object} Segment
 * @property {string} column
 * @property {string} value
 * @property {number} rows
 * @property {number} log_loss_difference
 * @property {number} low
 * @property {number} high
 *
 * @typedef {object} Standing
 * @property {string} recipe its digest
 * @property {number} drops
 * @property {number} rows
 * @property {number} mean
 * @property {number} e_value
 *
 * @typedef {object} Evaluation
 * @property {Segment[]} [segments]
 * @property {number} [milliseconds_per_1000_rows]
 * @property {number} [left_out_rows]
 * @property {number} [repeated_rows]
 * @property {{ live: string, asked: number, standings: Standing[], names?: Record<string, string> }} [trial]
 *
 * @typedef {object} Training
 * @property {number} [base_rate]
 * @property {number} [trained_rows]
 * @property {number} [threshold]
 * @property {number} [call_cost]
 * @property {number} [deposit_value]
 * @property {{ name: string, title?: string, digest?: string }} [recipe]
 */

/** @param {Api.ModelCard} card */
export function modelCard(card) {
  const evaluation = /** @type {Evaluation} */ (card.evaluation);
  const training = /** @type {Training} */ (card.training);
  return h(
    "div",
    { class: "stack" },
    verdict(card.model),
    good(card.model),
    h("div", { class: "pair" }, learned(card, training, evaluation), matters(card)),
    h("div", { class: "pair" }, segments(evaluation.segments ?? []), evidence(evaluation)),
    reads(card),
    card.model.drift?.length &&
      panel(
        { title: "Data drift", about: "Its rows against those the serving model was trained on." },
        driftBars(card.model.drift),
      ),
    named(card),
  );
}

/** @param {Api.ModelCard} card @param {Training} training @param {Evaluation} evaluation */
function learned({ id, data, model }, training, evaluation) {
  return panel(
    { title: "What it learned from" },
    h(
      "div",
      { class: "stack" },
      facts([
        ["Dataset version", h("a", { href: to("datasets", model.dataset, model.version) }, id), true],
        ["Rows", number(data.rows), true],
        ["Learned from", training.trained_rows && plural(training.trained_rows, "row")],
        ["Held out", model.metrics && plural(model.metrics.rows ?? 0, "row")],
        ["Repeated rows", evaluation.repeated_rows && number(evaluation.repeated_rows)],
        ["Base rate", training.base_rate && percent(training.base_rate, 1)],
        ["Recipe", model.recipe],
        [
          "Worth a call",
          training.threshold &&
            `from ${percent(training.threshold, 1)} on: a call costs ${training.call_cost}, a deposit brings ${training.deposit_value}`,
        ],
      ]),
      gridTable(
        "The files it learned from",
        [{ title: "File" }, { title: "Rows", right: true }],
        data.members.map((each) => [uploadName(each.upload), number(each.rows)]),
      ),
    ),
  );
}

/** @param {Api.ModelVersion} model */
function good(model) {
  const { calibration, baseline } = model;
  return panel(
    { title: "How good it is", about: "On held-out rows that neither model has learned from." },
    h(
      "div",
      { class: "stack" },
      model.metrics ? figures(model) : nothing("It was not judged", "The verdict says why."),
      facts([
        [
          "Against the base rate",
          baseline?.logLossDifference !== undefined &&
            between(baseline.logLossDifference, baseline.low ?? NaN, baseline.high ?? NaN),
        ],
        [
          "Says on average",
          calibration && `${percent(calibration.meanProbability, 1)}, and ${percent(calibration.rate, 1)} came`,
        ],
        [
          "Calibration error",
          calibration &&
            `${digits(calibration.error, 3)}; right probabilities stay below ${digits(calibration.errorByChance, 3)}`,
        ],
      ]),
    ),
  );
}

/** @param {Api.ModelCard} card */
function matters({ importance }) {
  const columns = /** @type {{ column: string, value: number }[]} */ (Object.values(importance)[0] ?? []);
  return panel(
    { title: "What matters to it", about: "Mean change of the log-odds by each column, over held-out rows." },
    columns.length
      ? bars(columns.map(({ column, value }) => ({ label: column, value, text: digits(value, 2) })))
      : nothing("Not known", "Its pipeline did not say."),
  );
}

/** @param {Segment[]} found */
function segments(found) {
  return panel(
    {
      title: "For whom",
      about: "Log loss by group against the serving model, or else the base rate; below zero it is better.",
    },
    found.length
      ? gridTable(
          "Log loss by segment",
          [
            { title: "Group" },
            { title: "Rows", right: true },
            { title: "Difference", right: true },
            { title: "95 %", right: true },
          ],
          found.map((each) => [
            `${each.column} ${each.value}`,
            number(each.rows),
            h(
              "span",
              { class: each.log_loss_difference < 0 ? "better" : "worse" },
              signed(each.log_loss_difference, 4),
            ),
            `${signed(each.low, 4)} to ${signed(each.high, 4)}`,
          ]),
        )
      : nothing("No group is large enough", "Those of 200 held-out rows or more are shown."),
  );
}

/** @param {Api.ModelCard} card */
function reads({ features, variants }) {
  const made = Object.entries(variants).map(
    ([name, members]) => `${name}: ${members.map((each) => each.name).join(", ")}`,
  );
  return panel(
    { title: "What it reads", about: made.join("; ") },
    gridTable(
      "The columns it reads",
      [{ title: "Column" }, { title: "Type" }, { title: "Values" }],
      features.map((each) => [String(each.name), String(each.type), values(each)]),
    ),
  );
}

/** @param {Record<string, unknown>} feature */
function values({ values: words, minimum, maximum }) {
  if (Array.isArray(words) && words.length > 6) return `${words.slice(0, 5).join(", ")} and ${words.length - 5} more`;
  if (Array.isArray(words)) return words.join(", ");
  return minimum === undefined ? "" : `${minimum} to ${maximum}`;
}

/** @param {Evaluation} evaluation */
function evidence({ trial }) {
  const found = trial?.standings ?? [];
  const name = (/** @type {string} */ digest) => trial?.names?.[digest] ?? digest;
  return panel(
    {
      title: "Its recipe against others",
      about:
        trial &&
        `${name(trial.live)} is live. Another takes its place when the evidence for it reaches ${number(Math.round(trial.asked))} to 1.`,
    },
    found.length
      ? gridTable(
          "Evidence on recipes",
          [
            { title: "Recipe" },
            { title: "Drops", right: true },
            { title: "Log loss", right: true },
            { title: "Evidence", right: true },
          ],
          found.map((each) => [name(each.recipe), number(each.drops), signed(each.mean, 4), digits(each.e_value, 2)]),
        )
      : nothing("No evidence yet", "It comes with the drops after the first."),
  );
}

/** @param {Api.ModelCard} card */
function named({ hashes, model }) {
  const by = (model.decisions ?? []).map((each) => `${each.decision} by ${each.by}: ${each.reason}`);
  return panel(
    { title: "By content, and by whom" },
    places([
      ["Model", hashes.model],
      ["Rows of the version", hashes.dataset],
      ["Held-out rows", hashes.holdOut],
      ["Manifest", hashes.manifest],
      ["Serving model then", model.hashes?.champion],
      ["Decided", by.length ? by.join("; ") : "by the gate alone"],
    ]),
  );
}

/** @param {number} mean @param {number} low @param {number} high */
const between = (mean, low, high) => `${signed(mean, 4)} [${signed(low, 4)}, ${signed(high, 4)}]`;
