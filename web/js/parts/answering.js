/** For each dataset: which model answers, since when, how good it is. */

import { h } from "../core/dom.js";
import { ago, clock, digits, moment, percent, plural, shown } from "../core/format.js";
import { to } from "../core/router.js";
import { badge } from "./badge.js";
import { gain } from "./metrics.js";
import { spark } from "./spark.js";

/** @import { Feed } from "../core/feed.js" */

/** @param {Api.DatasetSummary} dataset @param {Feed<"models">} models */
export function answerCard(dataset, models) {
  const known = (models.value?.value ?? [])
    .filter((model) => model.dataset === dataset.dataset && model.metrics)
    .sort((a, b) => a.version - b.version);
  const serving = known.find((model) => model.version === dataset.serving?.version);
  return h(
    "section",
    { class: "panel answer-card", "aria-label": dataset.dataset, key: dataset.dataset },
    h(
      "div",
      { class: "top" },
      h("h2", {}, h("a", { href: to("models", { dataset: dataset.dataset }) }, dataset.dataset)),
      dataset.serving ? badge("serving", "deployment") : h("span", { class: "badge" }, "no model yet"),
    ),
    dataset.serving
      ? served(dataset.dataset, dataset.serving, serving, known)
      : h(
          "p",
          { class: "quiet" },
          "Its first model is trained as soon as a file of its kind is admitted. ",
          h("code", {}, "./dev drop FILE"),
        ),
    h("p", { class: "small quiet" }, standing(dataset)),
    dataset.freshness.map(fresh),
  );
}

/**
 * @param {string} dataset
 * @param {Api.ServingModel} serving
 * @param {Api.ModelVersion | undefined} model the serving one, when it is among the newest
 * @param {Api.ModelVersion[]} known
 */
function served(dataset, serving, model, known) {
  const gains = known
    .map((each) => gain(each.metrics, each.baseline))
    .filter((value) => value !== undefined)
    .slice(-12);
  return [
    h(
      "div",
      { class: "figure" },
      h(
        "a",
        { href: to("models", dataset, serving.version) },
        h("b", {}, `v${serving.version}`),
      ),
      h("span", { class: "quiet" }, "answers since ", clock(serving.releasedAt)),
    ),
    model?.metrics &&
      h(
        "div",
        { class: "small quiet" },
        "AUC ",
        shown(model.metrics.auc, digits(model.metrics.auc, 3)),
        " · log loss ",
        shown(model.metrics.logLoss, digits(model.metrics.logLoss, 4)),
        lift(model),
      ),
    gains.length > 1 &&
      spark(
        gains,
        `Gain over the base rate of the last ${gains.length} versions: ${gains.map((value) => percent(value, 1)).join(", ")}`,
      ),
  ];
}

/** @param {Api.ModelVersion} model */
function lift(model) {
  const gained = gain(model.metrics, model.baseline);
  return gained === undefined ? "" : `, ${percent(gained)} below the base rate's`;
}

/** Whether what its contract expects has come. @param {Api.Freshness} one */
function fresh(one) {
  const what = one.what === "batches" ? "list to score" : "file";
  const last = one.lastAt ? [", the last came ", ago(one.lastAt)] : ", none has come yet";
  if (one.state === "late")
    return h("p", { class: "small" }, h("span", { class: "badge", "data-tone": "bad" }, "late"), ` A ${what} has been missing since `, moment(one.dueAt), ` (${one.rule})`, last, ".");
  return h("p", { class: "small quiet" }, `The next ${what} is expected until `, moment(one.dueAt), last, ".");
}

/** @param {Api.DatasetSummary} dataset */
function standing(dataset) {
  const parts = [];
  if (dataset.version)
    parts.push(
      `Newest dataset version ${dataset.version}${dataset.rows ? `, ${plural(dataset.rows, "row")}` : ""}`,
    );
  if (dataset.waitingUploads) parts.push(`${plural(dataset.waitingUploads, "file")} gathering for the next`);
  return parts.join(" · ");
}
