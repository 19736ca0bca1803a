/** Now: the state of things in a sentence, what answers, what is under way, what needs a person, what happened. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { compact, number, plural } from "../core/format.js";
import { to } from "../core/router.js";
import { goingStates, isGoing, stateWords, waitingStates } from "../core/states.js";
import { answerCard } from "../parts/answering.js";
import { attention } from "../parts/attention.js";
import { feedList } from "../parts/happened.js";
import { pause, scoreNow } from "../parts/operator.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { underWay } from "../parts/underway.js";

export const title = () => "Now";
export const feeds = () => ({
  events: ["events", { maxpagesize: 30 }],
  models: ["models", { maxpagesize: 30 }],
  batches: ["batches", { maxpagesize: 20 }],
  quarantine: ["quarantine", { state: waitingStates("quarantine")[0], maxpagesize: 5 }],
});
export const moves = (status) =>
  Boolean(status) && [...status.runs, ...status.batches].some(isGoing);

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
        underWay(status, feeds.batches),
        attention(status, feeds.quarantine, live),
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

// --- the sentence ----------------------------------------------------------------------------------------------

function headline(status) {
  const serving = status.datasets.filter((dataset) => dataset.serving);
  const answers =
    serving.length === 0
      ? "No model answers yet."
      : [
          serving.map((dataset, place) => [
            place ? "; " : "",
            h("em", {}, `Model ${dataset.serving.version}`),
            " answers for ",
            dataset.dataset,
          ]),
          ".",
        ];
  return [answers, " ", doing(status), " ", needs(status)];
}

function doing(status) {
  const runs = status.runs.filter((run) => isGoing(run) && !run.batch);
  const scoring = status.batches.filter((batch) => batch.state === "scoring");
  const parts = [];
  if (runs.length === 1) parts.push(`version ${runs[0].version} is being trained`);
  if (runs.length > 1) parts.push(`${runs.length} versions are being trained`);
  if (scoring.length) parts.push(`${plural(scoring.length, "batch is", "batches are")} being scored`);
  if (parts.length === 0) return "All is quiet.";
  const text = parts.join(" and ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function needs(status) {
  if (status.attentionCount === 0) return "Nothing needs you.";
  return h(
    "em",
    { "data-tone": "bad" },
    `${plural(status.attentionCount, "thing needs", "things need")} a person.`,
  );
}

// --- the way of data, in six numbers ---------------------------------------------------------------------------

function way(status) {
  const under = (kind) =>
    goingStates(kind).map((state) => [status.stateCounts[kind]?.[state] ?? 0, stateWords(state, kind)]);
  const all = (kind) => Object.values(status.stateCounts[kind] ?? {}).reduce((sum, count) => sum + count, 0);
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

function happened(events) {
  const list = (value) => feedList(value.value, "What happened, newest first");
  const empty = nothing("Nothing has happened yet", "Drop a file: ", h("code", {}, "./dev drop FILE"));
  return panel(
    {
      title: "What happened",
      flush: true,
      tools: h("a", { class: "more", href: to("events") }, "All events"),
    },
    fromFeed(events, list, { empty }),
  );
}
