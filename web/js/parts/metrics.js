/** The figures a model is judged by: what each is, how it is written, and which way is better. */

import { digits, percent, signed } from "../core/format.js";
import { tone } from "../core/states.js";

/** @typedef {import("../core/format.js").Maybe} Maybe */

/**
 * How much of the base rate's log loss a model saves, 0 to 1: what can be compared between hold-outs.
 * @type {(figures?: Api.ModelMetrics, baseline?: Api.BaselineMetrics) => number | undefined}
 */
export const gain = (figures, baseline) =>
  figures?.logLoss !== undefined && baseline?.logLoss ? 1 - figures.logLoss / baseline.logLoss : undefined;

/** @param {number} places */
const plain = (places) => ({
  text: (/** @type {Maybe} */ value) => digits(value, places),
  difference: (/** @type {number} */ value) => signed(value, places),
});

const share = {
  text: (/** @type {Maybe} */ value) => percent(value, 1),
  difference: (/** @type {number} */ value) => `${signed(100 * value, 1)} points`,
};

/**
 * A figure of a model.
 * @typedef {object} Metric
 * @property {string} title
 * @property {1 | -1} good 1 when more is better, -1 when less is
 * @property {(figures?: Api.ModelMetrics, baseline?: Api.BaselineMetrics) => number | undefined} of its value
 * @property {(value: Maybe) => string} text
 * @property {(value: number) => string} difference
 */

/** @typedef {"gain" | "logLoss" | "auc" | "averagePrecision" | "profit"} MetricName */

/** @type {Record<MetricName, Metric>} */
export const METRICS = {
  gain: { title: "Gain over the base rate", good: 1, of: gain, ...share },
  logLoss: { title: "Log loss", good: -1, of: (figures) => figures?.logLoss, ...plain(4) },
  auc: { title: "AUC", good: 1, of: (figures) => figures?.auc, ...plain(4) },
  averagePrecision: {
    title: "Average precision",
    good: 1,
    of: (figures) => figures?.averagePrecision,
    ...plain(4),
  },
  profit: {
    title: "Profit per client",
    good: 1,
    of: (figures) => (figures?.profit !== undefined && figures.rows ? figures.profit / figures.rows : undefined),
    ...plain(2),
  },
};

/** @param {Metric} metric */
export const better = ({ good }) => (good > 0 ? "higher is better" : "lower is better");

/**
 * How the verdict on a model is coloured: a refusal is no fault of the system's, and worth attention.
 * @param {Api.ModelVersion} model
 */
export const verdictTone = ({ state }) =>
  state === "refused" || tone(state, "model") === "warn" ? "warn" : "ok";
