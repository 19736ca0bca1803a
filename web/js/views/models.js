/** Models: quality over time with every release, refusal and roll-back; drift; the list; one model with its verdict, and its card. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, digits, number, percent, plural, shown, signed } from "../core/format.js";
import { to } from "../core/router.js";
import { isGoing, needsPerson } from "../core/states.js";
import { badge } from "../parts/badge.js";
import { modelCard } from "../parts/card.js";
import { drift, driftBars, MOVED, SHIFTED } from "../parts/drift.js";
import { facts, reason, traced } from "../parts/facts.js";
import { head, segments } from "../parts/head.js";
import { figures } from "../parts/figures.js";
import { better, METRICS } from "../parts/metrics.js";
import { approve, promote, reject, rollBack } from "../parts/operator.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { quality } from "../parts/quality.js";
import { pages, table } from "../parts/table.js";
import { verdict } from "../parts/verdict.js";
import { chosenDataset, whichDataset } from "../parts/whichdataset.js";

/** @param {Page.Route} here */
export const title = ({ parts: [name, version, card] }) =>
  version ? `${name}:${version}${card ? ", model card" : ""}` : "Models";
/** @param {Page.Route} here */
export function feeds({ parts: [name, version, card], query }) {
  if (!version)
    return { models: resource("models", { dataset: query.get("dataset"), maxpagesize: 200, after: query.get("after") }) };
  if (card) return { card: resource("models/{name}/{version}/card", { name, version }) };
  return {
    model: resource("models/{name}/{version}", { name, version }),
    batches: resource("batches", { model: `${name}:${version}`, maxpagesize: 20 }),
  };
}

/** @import { Feed } from "../core/feed.js" */
/** @import { Live } from "../core/live.js" */

/** @param {Api.ModelVersion} model */
const difference = (model) => model.comparison?.logLossDifference;

/** @type {Page.Column<Api.ModelVersion>[]} */
const COLUMNS = [
  {
    title: "Model",
    width: "minmax(0, 2.4fr)",
    name: true,
    cell: (model) => [
      h("a", { href: to("models", model.dataset, model.version) }, model.id),
      h("span", { class: "under" }, model.reason),
    ],
  },
  { title: "State", width: "minmax(7rem, 0.8fr)", cell: (model) => badge(model.state, "model") },
  {
    title: "Log loss",
    width: "5rem",
    right: true,
    cell: (model) => shown(model.metrics?.logLoss, digits(model.metrics?.logLoss, 4)),
  },
  {
    title: "Against serving",
    width: "6.5rem",
    right: true,
    cell: (model) => {
      const by = difference(model);
      return by !== undefined && h("span", { class: by < 0 ? "better" : "worse", title: by }, signed(by, 4));
    },
  },
  {
    title: "AUC",
    width: "4.5rem",
    right: true,
    cell: (model) => shown(model.metrics?.auc, digits(model.metrics?.auc, 3)),
  },
  { title: "Judged", width: "minmax(6rem, 0.7fr)", right: true, cell: (model) => ago(model.createdAt) },
];

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, status, feeds, live }) {
  if (feeds.models) return list(here, status, feeds.models, live);
  if (feeds.card) return card(here, feeds.card);
  const model = feeds.model.value;
  return [
    head({
      title: title(here),
      crumbs: [["Models", to("models", { dataset: here.parts[0] })]],
      mark: model && badge(model.state, "model"),
      tools: model && tools(model, live),
    }),
    fromFeed(feeds.model, (value) => one(value, feeds.batches)),
  ];
}

/** @param {Page.Route} here @param {Feed<"models/{name}/{version}/card">} feed */
function card(here, feed) {
  const [name, version] = here.parts;
  return [
    head({
      title: title(here),
      lead: "All that is known of this model, in one place: its data, its figures, whom it serves well, and what names it.",
      crumbs: [
        ["Models", to("models", { dataset: name })],
        [`${name}:${version}`, to("models", name, version)],
      ],
      mark: feed.value && badge(feed.value.model.state, "model"),
    }),
    fromFeed(feed, modelCard),
  ];
}

/** @param {Api.ModelVersion} model @param {Live} live */
function tools(model, live) {
  if (needsPerson(model)) return [actionButton(approve(model), live), actionButton(reject(model), live)];
  if (model.state === "released" || model.state === "canary")
    return actionButton(rollBack(model.dataset, model.version), live);
  return !isGoing(model) && actionButton(promote(model), live);
}

// --- all of a dataset --------------------------------------------------------------------------------------------

/** @param {Page.Route} here @param {Api.SystemStatus} status @param {Feed<"models">} feed @param {Live} live */
function list(here, status, feed, live) {
  const dataset = chosenDataset(here, status);
  const none = panel({ title: "Models" }, nothing("No model yet", "The first one is judged when the first run is over."));
  return [
    head({
      title: "Models",
      lead: "A new model answers unless a guard objects: it is surely worse than the serving one on the same held-out rows, for instance.",
    }),
    h(
      "div",
      { class: "stack" },
      dataset
        ? [
            whichDataset(here, status, dataset),
            fromFeed(feed, (value) => ofDataset(here, status, dataset, value, live), none),
          ]
        : none,
    ),
  ];
}

/**
 * @param {Page.Route} here
 * @param {Api.SystemStatus} status
 * @param {string} dataset
 * @param {Api.Answer<"models">} page
 * @param {Live} live
 */
function ofDataset(here, status, dataset, page, live) {
  const models = page.value;
  const metrics = /** @type {import("../parts/metrics.js").MetricName[]} */ (Object.keys(METRICS));
  const metric = metrics.find((name) => name === here.query.get("metric")) ?? "gain";
  const serving = status.datasets.find((each) => each.dataset === dataset)?.serving;
  /** @type {[string, string, boolean][]} */
  const choose = metrics.map((name) => [
    METRICS[name].title,
    to("models", { ...Object.fromEntries(here.query), metric: name }),
    name === metric,
  ]);
  return [
    models.length > 0 && panel(
      {
        title: "Quality over time",
        name: "quality",
        about: `${dataset}. Each column is one version on its own held-out rows, beside the model that served then on the same rows: ${better(METRICS[metric])}.`,
        tools: segments("Figure", choose),
      },
      quality(models, metric),
    ),
    models.some((model) => model.drift?.length) &&
      panel(
        {
          title: "Data drift",
          name: "drift",
          about: `Population stability index of each column. From ${digits(MOVED, 2)} a column has moved, from ${digits(SHIFTED, 2)} it has shifted.`,
        },
        drift(models),
      ),
    panel(
      {
        title: "Models, newest first",
        name: "models",
        flush: true,
        tools: serving && actionButton(rollBack(dataset, serving.version), live),
      },
      table("Models", COLUMNS, models),
      pages(page, ["models"], here.query),
    ),
  ];
}

// --- one -----------------------------------------------------------------------------------------------------------

/** @param {Api.ModelVersion} model @param {Feed<"batches">} batches */
function one(model, batches) {
  return h(
    "div",
    { class: "stack" },
    verdict(model),
    h(
      "div",
      { class: "pair" },
      model.metrics && panel({ title: "Figures", about: "On the same held-out rows." }, figures(model)),
      h(
        "div",
        { class: "stack" },
        release(model),
        belongs(model),
        panel(
          { title: "Batches it scored", flush: true },
          fromFeed(
            batches,
            (value) => [scored(value.value), pages(value, ["batches"], new URLSearchParams({ model: model.id }))],
            nothing("None yet", "Batches are scored by the model in service when they begin."),
          ),
        ),
      ),
    ),
    model.retrainAskedBecause &&
      panel({ title: "Why drift asked for a retrain" }, reason(model.retrainAskedBecause, "warn")),
    model.drift &&
      model.drift.length > 0 &&
      panel(
        { title: "Data drift", about: "Its rows against those the serving model was trained on." },
        driftBars(model.drift),
      ),
  );
}

/** @param {Api.ModelVersion} model */
function release(model) {
  const { shadow, baking, decisions = [] } = model;
  if (!shadow && !model.shadowSkipped && !baking && !model.heldBecause && !decisions.length) return null;
  return panel(
    { title: "The release", name: "release" },
    h(
      "div",
      { class: "stack" },
      needsPerson(model) && reason(`Waits for a person: ${model.heldBecause}.`, "warn"),
      facts([
        ["Decided without a person", needsPerson(model) && ago(model.approvalDueAt)],
        ["No comparison", !shadow && model.shadowSkipped],
        ["Compared on", shadow && h("a", { href: to("batches", shadow.batch) }, plural(shadow.rows, "row"))],
        ["Decisions that differ", shadow && percent(shadow.decisionsDiffering, 1), true],
        ["Only the new one calls", shadow && percent(shadow.newlyCalled, 1), true],
        ["Probability, mean change", shadow && signed(shadow.meanDifference, 4), true],
        ["95 of 100 change by at most", shadow && digits(shadow.p95AbsoluteDifference, 4), true],
        ["Scores moved (PSI)", shadow && digits(shadow.psi, 3), true],
        ["Changes go with", shadow?.columns?.map((each) => `${each.column} ${percent(each.share, 0)}`).join(", ")],
        ["Watched", baking && `${number(baking.seconds)} s with ${baking.percent} % of the traffic`],
        ["Probes", baking && `${number(baking.probes)}, ${number(baking.faults)} wrong or unanswered`],
        ["Requests meanwhile", baking?.requests && asked(baking.requests)],
        ["The serving model's", baking?.servingRequests && asked(baking.servingRequests)],
        [
          "Scores of the same clients (PSI)",
          baking?.scores && [
            h("a", { href: to("batches", baking.scores.batch) }, digits(baking.scores.psi, 3)),
            `, at most ${digits(baking.scores.limit, 3)}, on ${plural(baking.scores.rows, "row")}`,
          ],
        ],
      ]),
      decisions.length > 0 &&
        h(
          "ul",
          { class: "lines" },
          decisions.map((each) =>
            h(
              "li",
              { key: each.decidedAt },
              h("span", { class: "what" }, badge(each.decision, "decision"), " ", each.by),
              ago(each.decidedAt),
              h("p", { class: "why" }, each.reason),
            ),
          ),
        ),
    ),
  );
}

/** @param {Api.RequestsSeen} seen */
const asked = ({ requests, errors, p95Ms }) =>
  `${number(requests)}, ${number(errors)} with a fault${p95Ms === undefined ? "" : `, p95 ${digits(p95Ms, 0)} ms`}`;

/** @param {Api.ModelVersion} model */
function belongs(model) {
  return panel(
    { title: "Where it belongs" },
    facts([
      ["Run", model.run && h("a", { href: to("runs", model.run) }, model.run)],
      ["Dataset version", h("a", { href: to("datasets", model.dataset, model.version) }, model.id)],
      ["Model card", h("a", { href: to("models", model.dataset, model.version, "card") }, "All that is known of it")],
      ["Deployment", model.deployment && h("a", { href: to("endpoint", { dataset: model.dataset }) }, model.deployment)],
      ["Judged", ago(model.createdAt)],
      ["Released", ago(model.releasedAt)],
      ["Rolled back", ago(model.rolledBackAt)],
      traced(model),
    ]),
  );
}

/** @param {Api.Batch[]} batches */
function scored(batches) {
  if (batches.length === 0) return nothing("None of the newest batches", "There may be older ones.");
  return h(
    "ul",
    { class: "lines" },
    batches.map((batch) =>
      h(
        "li",
        {},
        h("a", { class: "what", href: to("batches", batch.id) }, batch.name),
        ago(batch.lastModifiedAt),
        h("p", { class: "why" }, plural(batch.rows ?? 0, "row")),
      ),
    ),
  );
}
