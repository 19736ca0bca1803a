/** Runs: the list with each one's steps, and one run as it progresses. */

import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, duration, moment, shown } from "../core/format.js";
import { to } from "../core/router.js";
import { choices, isGoing, stateWords, tone } from "../core/states.js";
import { badge } from "../parts/badge.js";
import { facts, reason, traced } from "../parts/facts.js";
import { gantt, isTraining, runTime, runTitle, strip } from "../parts/gantt.js";
import { head, segments } from "../parts/head.js";
import { retrainLabel } from "../parts/operator.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { gridTable, pages, table } from "../parts/table.js";

/** @param {Page.Route} here */
export const title = (here) => here.parts[0] ?? "Runs";
/** @param {Page.Route} here */
export function feeds({ parts: [run], query }) {
  if (run) return { run: resource("runs/{run}", { run }) };
  return { runs: resource("runs", { maxpagesize: 50, state: query.get("state"), after: query.get("after") }) };
}
/** @param {unknown} _ @param {Page.Shown<typeof feeds>["feeds"]} feeds */
export const moves = (_, feeds) =>
  (feeds.run ? [feeds.run.value] : (feeds.runs.value?.value ?? [])).some((run) => run !== null && isGoing(run));

/** @type {Page.Column<Api.Run>[]} */
const COLUMNS = [
  {
    title: "Run",
    width: "minmax(0, 2fr)",
    name: true,
    cell: (run) => [
      h("a", { href: to("runs", run.id) }, runTitle(run)),
      h("span", { class: "under mono" }, run.id),
    ],
  },
  { title: "State", width: "minmax(7rem, 0.8fr)", cell: (run) => badge(run.state, "run") },
  { title: "Steps", width: "minmax(8rem, 2fr)", cell: strip },
  {
    title: "Took",
    width: "5rem",
    right: true,
    cell: (run) => {
      const time = runTime(run);
      return time && shown(time.seconds, duration(time.seconds));
    },
  },
  {
    title: "Model",
    width: "minmax(0, 1.1fr)",
    cell: (run) => run.model && h("a", { href: to("models", ...run.model.split(":")) }, run.model),
  },
  { title: "Started", width: "minmax(7rem, 0.9fr)", right: true, cell: (run) => ago(run.createdAt) },
];

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, feeds }) {
  if (feeds.runs) return list(here, feeds.runs);
  return [
    head({
      title: title(here),
      crumbs: [["Runs", to("runs")]],
      mark: feeds.run.value && badge(feeds.run.value.state, "run"),
    }),
    fromFeed(feeds.run, one),
  ];
}

/** @param {Page.Route} here @param {import("../core/feed.js").Feed<"runs">} feed */
function list(here, feed) {
  const chosen = here.query.get("state") ?? "";
  return [
    head({
      title: "Runs",
      lead: "Each dataset version is trained on once, one run at a time per dataset. Runs score large files of clients too.",
    }),
    h(
      "div",
      { class: "stack" },
      segments(
        "Which runs",
        choices("run").map(([text, state]) => [text, to("runs", { state }), state === chosen]),
      ),
      panel(
        { title: "Runs, newest first", flush: true },
        fromFeed(
          feed,
          (value) => [table("Runs", COLUMNS, value.value), pages(value, ["runs"], here.query)],
          chosen
            ? nothing("No run in this state")
            : nothing(
                "No run yet",
                "A registered dataset version starts one. Is the pipeline published? ",
                h("code", {}, "./dev publish"),
              ),
        ),
      ),
    ),
  ];
}

/**
 * What to do about a training run; what a run that scores came to is told on its batch's page.
 * @type {Partial<Record<Api.Run["state"], (run: Api.Run) => string>>}
 */
const NEXT = {
  failed: (run) => `Mend what the reason names; then “${retrainLabel(run.dataset ?? "")}”, on the page Files.`,
  refused: () =>
    "The serving model goes on answering. An operator may promote this one all the same, on the model's page.",
};

/** A run that came to nothing, or to no better model, is worth a look. @param {Api.Run} run */
function verdictTone(run) {
  const of = tone(run.state, "run");
  return of === "ok" || of === "bad" ? of : "warn";
}

/** @param {Api.Run} run */
function one(run) {
  const time = runTime(run);
  return h(
    "div",
    { class: "stack" },
    panel(
      {
        title: "Steps",
        tools:
          time &&
          h(
            "span",
            { class: "small quiet" },
            isGoing(run) ? "for " : "took ",
            shown(time.seconds, duration(time.seconds)),
          ),
      },
      gantt(run),
    ),
    run.reason &&
      panel(
        { title: "The verdict" },
        reason(run.reason, verdictTone(run), isTraining(run) && NEXT[run.state]?.(run)),
      ),
    h(
      "div",
      { class: "pair" },
      panel(
        { title: "Where it belongs" },
        facts([
          ["Scores the batch", run.batch && h("a", { href: to("batches", run.batch) }, run.batch)],
          [
            "Dataset version",
            !run.batch && run.dataset && run.version && h("a", { href: to("datasets", run.dataset, run.version) }, `${run.dataset}:${run.version}`),
          ],
          ["Model", run.model && h("a", { href: to("models", ...run.model.split(":")) }, run.model)],
          ["Started", ago(run.createdAt)],
          ["Last change", ago(run.lastModifiedAt)],
          traced(run),
        ]),
      ),
      panel(
        { title: "Its states" },
        gridTable(
          "States of the run",
          [{ title: "State" }, { title: "Since" }],
          run.history.map(({ state, enteredAt }) => [stateWords(/** @type {Api.Run["state"]} */ (state), "run"), moment(enteredAt)]),
        ),
      ),
    ),
  );
}
