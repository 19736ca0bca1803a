/** What a batch is expected to bring, and what calling its clients brought, side by side. */

import { h } from "../core/dom.js";
import { digits, number, percent, words } from "../core/format.js";
import { facts } from "./facts.js";
import { gridTable } from "./table.js";

/** @typedef {import("../core/format.js").Maybe} Maybe */

const right = true;

/**
 * The figures that are compared, each as it is written.
 * @type {[title: string, text: (figures: Api.Figures) => string][]}
 */
const FIGURES = [
  ["Deposits", ({ deposits }) => digits(deposits, 1)],
  ["Money", ({ money }) => number(money)],
  ["AUC", ({ auc }) => digits(auc, 3)],
  ["Log loss", ({ logLoss }) => digits(logLoss, 4)],
  ["Calls", ({ calls }) => number(calls)],
  ["Rows", ({ rows }) => number(rows)],
];

/** Before anybody called. @param {Api.Expected} expected */
export function expectation(expected) {
  return facts([
    ["Deposits, if all were called", number(expected.deposits), true],
    ["95 % interval", `${number(expected.depositsLow)} to ${number(expected.depositsHigh)}`, true],
    ["Calls worth making", number(expected.calls)],
    ["Money of these calls", number(expected.money)],
    ["AUC", digits(expected.auc, 3)],
    ["Log loss", digits(expected.logLoss, 4)],
  ]);
}

/** @param {Api.CallListed} calls */
export function callList(calls) {
  return facts([
    ["Clients to call", number(calls.calls), true],
    ["Deposits expected of them", number(calls.deposits), true],
    ...calls.leftOut.map(
      ({ reason, rows }) => /** @type {import("./facts.js").Pair} */ ([`Not on it: ${words(reason)}`, number(rows)]),
    ),
    ["List", h("code", {}, calls.blob)],
  ]);
}

/** Expected beside realised, on the same rows. @param {Api.Outcomes} outcomes */
export function reconciled(outcomes) {
  const { control } = outcomes;
  return gridTable(
    "Expected and realised",
    [
      { title: "" },
      { title: "Expected", right },
      { title: "Realised", right },
      ...(control ? [{ title: "Control group", right }] : []),
    ],
    FIGURES.map(([title, text]) => [
      title,
      text(outcomes.expected),
      text(outcomes.realised),
      ...(control ? [text(control)] : []),
    ]),
  );
}

/** The most likely first. @param {Api.Outcomes} outcomes */
export function byDecile(outcomes) {
  return gridTable(
    "Outcomes by decile",
    ["Decile", "Clients", "Expected deposits", "Deposits", "Share", "Calls", "Expected money", "Money"].map((title) => ({
      title,
      right,
    })),
    outcomes.deciles
      .toReversed()
      .map((one) => [
        number(one.decile),
        number(one.rows),
        digits(one.expectedDeposits, 1),
        number(one.deposits),
        percent(one.deposits / one.rows, 1),
        number(one.calls),
        number(one.expectedMoney),
        number(one.money),
      ]),
  );
}
