/** Now: the state of things in a sentence, what answers, what is under way, what needs a person, what happened. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { compact, number, plural } from "../core/format.js";
import { to } from "../core/router.js";
import { goingStates, isGoing, stateWords } from "../core/states.js";
import { alertLine } from "../parts/alertline.js";
import { answerCard } from "../parts/answering.js";
import { attention, attentionFeeds } from "../parts/attention.js";
import { feedList } from "../parts/happened.js";
import { pause, scoreNow } from "../parts/operator.js";
import { isTraining } from "../parts/gantt.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { underWay } from "../parts/underway.js";

/** The page of alerts has them all. */
const MOST_ALERTS = 5;

export const title = () => "Now";
export const feeds = () => ({
  events: resource("events", { maxpagesize: 30 }),
  models: resource("models", { maxpagesize: 30 }),
  batches: resource("batches", { maxpagesize: 20 }),
  ...attentionFeeds(),
});
/** @param {Api.SystemStatus | null} status */
export const moves = (status) =>
  status !== null && [...status.runs, ...status.batches].some(isGoing);

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ status, feeds, live }) {
  return h(
    "div",
    { class: "stack" },
    h(
      "div",
      { class: "view-head" },
      h("h1", { class: "headline", tabindex: "-1" }, headline(status)),
      h(
        "div",
        { class: "tools" },
        actionButton(scoreNow(), live),
        !status.paused && actionButton(pause(), live),
      ),
    ),
    way(status),
    h(
      "div",
      { class: "wide-left" },
      h(
        "div",
        { class: "stack" },
        activeAlerts(status),
        underWay(status, feeds.batches),
        attention(status, feeds, live),
      ),
      h(
        "div",
        { class: "stack" },
        status.datasets.map((dataset) => answerCard(dataset, feeds.models)),
        happened(feeds.events),
      ),
    ),
  );
}

/** Active alerts, before all else; nothing where there is none. @param {Api.SystemStatus} status */
function activeAlerts({ openAlerts }) {
  return (
    openAlerts.length > 0 &&
    panel(
      {
        title: "Active alerts",
        flush: true,
        name: "active-alerts",
        tools: h("a", { class: "more", href: to("alerts") }, "All alerts"),
      },
      h("ul", { class: "lines" }, openAlerts.slice(0, MOST_ALERTS).map(alertLine)),
    )
  );
}

// --- the sentence ----------------------------------------------------------------------------------------------

/** @param {Api.SystemStatus} status */
function headline(status) {
  const serving = status.datasets.flatMap(({ dataset, serving }) => (serving ? [{ dataset, ...serving }] : []));
  const answers =
    serving.length === 0
      ? "No model answers yet."
      : [
          serving.map(({ dataset, version }, place) => [
            place ? "; " : "",
            h("em", {}, `Model ${version}`),
            " answers for ",
            dataset,
          ]),
          ".",
        ];
  return [answers, " ", doing(status), " ", needs(status)];
}

/** @param {Api.SystemStatus} status */
function doing(status) {
  const training = status.stateCounts.dataset?.training ?? 0;
  const scoring = status.stateCounts.batch?.scoring ?? 0;
  const parts = [];
  if (training > 0) parts.push(`${trained(status, training)} being trained`);
  if (scoring > 0) parts.push(`${plural(scoring, "batch is", "batches are")} being scored`);
  if (parts.length === 0) return "Nothing is under way.";
  const text = parts.join(" and ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** One version by its number, where its run is among the newest. @param {Api.SystemStatus} status @param {number} many */
function trained({ runs }, many) {
  const run = runs.find((each) => isGoing(each) && isTraining(each));
  return many === 1 && run ? `version ${run.version} is` : plural(many, "version is", "versions are");
}

/**
 * What wants somebody: open alerts of severity `page` and things that wait are no sum, an alert may be of such a thing.
 * @param {Api.SystemStatus} status
 */
function needs({ openAlerts, attentionCount }) {
  const pages = openAlerts.filter((alert) => alert.severity === "page").length;
  const parts = [];
  if (pages > 0) parts.push(`${plural(pages, "alert needs", "alerts need")} somebody now`);
  if (attentionCount > 0) parts.push(`${plural(attentionCount, "thing needs", "things need")} a person`);
  if (parts.length === 0) return "Nothing needs you.";
  return h("em", { "data-tone": "bad" }, `${parts.join(", and ")}.`);
}

// --- the way of data, in six numbers ---------------------------------------------------------------------------

/** @param {Api.SystemStatus} status */
function way(status) {
  /** @type {(kind: Page.Kind) => [many: number, what: string][]} */
  const under = (kind) =>
    goingStates(kind).map((state) => [status.stateCounts[kind]?.[state] ?? 0, stateWords(state, kind)]);
  const all = (/** @type {Page.Kind} */ kind) =>
    Object.values(status.stateCounts[kind] ?? {}).reduce((sum, count) => sum + count, 0);
  /** @type {[label: string, many: number, href: string, doing: [number, string][]][]} */
  const places = [
    ["Files", all("upload"), to("files"), under("upload")],
    ["Dataset versions", all("dataset"), to("datasets"), under("dataset")],
    ["Runs", all("run"), to("runs"), under("run")],
    ["Models judged", all("model"), to("models"), under("model")],
    ["Now in service", status.datasets.filter((dataset) => dataset.serving).length, to("endpoint"), []],
    ["Batches", all("batch"), to("batches"), under("batch")],
  ];
  return h(
    "ol",
    { class: "panel way", "aria-label": "The way of the data, in numbers" },
    places.map(([label, many, href, doing]) =>
      h(
        "li",
        {},
        h(
          "a",
          { href },
          h("b", { title: number(many) }, compact(many)),
          h("span", { class: "label" }, label),
        ),
        h(
          "span",
          { class: "doing" },
          doing
            .filter(([count]) => count > 0)
            .map(([count, what]) => `${number(count)} ${what}`)
            .join(", "),
        ),
      ),
    ),
  );
}

/** @param {import("../core/feed.js").Feed<"events">} events */
function happened(events) {
  const empty = nothing("Nothing has happened yet", "Drop a file: ", h("code", {}, "./dev drop FILE"));
  return panel(
    {
      title: "What happened",
      flush: true,
      tools: h("a", { class: "more", href: to("events") }, "All events"),
    },
    fromFeed(events, ({ value }) => feedList(value, "What happened, newest first"), empty),
  );
}
