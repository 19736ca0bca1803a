/** The figures a model is judged by: what each is, how it is written, and which way is better. */

import { digits, percent, signed } from "../core/format.js";
import { tone } from "../core/states.js";

/** How much of the base rate's log loss a model saves, 0 to 1: what can be compared between hold-outs. */
export const gain = (figures, baseline) =>
  baseline?.logLoss ? 1 - figures.logLoss / baseline.logLoss : null;

const plain = (places) => ({
  text: (value) => digits(value, places),
  difference: (value) => signed(value, places),
});

const share = {
  text: (value) => percent(value, 1),
  difference: (value) => (value === null ? "" : `${signed(100 * value, 1)} points`),
};

/** of(figures, baseline) -> value; good: +1 when more is better, -1 when less is */
export const METRICS = {
  gain: { title: "Gain over the base rate", good: 1, of: gain, ...share },
  logLoss: { title: "Log loss", good: -1, of: (figures) => figures.logLoss, ...plain(4) },
  auc: { title: "AUC", good: 1, of: (figures) => figures.auc, ...plain(4) },
  averagePrecision: {
    title: "Average precision",
    good: 1,
    of: (figures) => figures.averagePrecision,
    ...plain(4),
  },
  profit: {
    title: "Profit per client",
    good: 1,
    of: (figures) => (figures.rows ? figures.profit / figures.rows : null),
    ...plain(2),
  },
};

export const better = ({ good }) => (good > 0 ? "higher is better" : "lower is better");

/** How the verdict on a model is coloured: a refusal is no fault of the system's, and worth attention. */
export const verdictTone = ({ state }) =>
  state === "refused" || tone(state, "model") === "warn" ? "warn" : "ok";
