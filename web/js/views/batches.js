/** Batches: files of clients, how far each is, which model scored it; and one batch with its first rows. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, compact, digits, duration, number, seconds, shown } from "../core/format.js";
import { to } from "../core/router.js";
import { choices, needsPerson } from "../core/states.js";
import { badge } from "../parts/badge.js";
import { deciles } from "../parts/deciles.js";
import { facts, places, reason, traced } from "../parts/facts.js";
import { gantt } from "../parts/gantt.js";
import { head, segments } from "../parts/head.js";
import { approveBatch, scoreNow, uploadClients } from "../parts/operator.js";
import { byDecile, callList, expectation, reconciled } from "../parts/outcomes.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { batchDrift } from "../parts/picture.js";
import { progress } from "../parts/progress.js";
import { scoredRows } from "../parts/scoredrows.js";
import { pages, table } from "../parts/table.js";

/** @param {Page.Route} here */
export const title = (here) => here.parts[0] ?? "Batches";
/** @param {Page.Route} here */
export function feeds({ parts: [batch], query }) {
  if (!batch)
    return {
      batches: resource("batches", {
        maxpagesize: 50,
        state: query.get("state"),
        model: query.get("model"),
        after: query.get("after"),
      }),
    };
  const rows = resource("batches/{batch}/rows", { batch, maxpagesize: 20 });
  return { batch: resource("batches/{batch}", { batch }), rows: { ...rows, wanted: isScored } };
}

/** @import { Feed } from "../core/feed.js" */
/** @import { Live } from "../core/live.js" */

/** @param {{ batch: Feed<"batches/{batch}"> }} feeds */
const isScored = ({ batch }) => batch.value?.state === "scored";

/** @param {Api.Batch} batch */
const byModel = (batch) =>
  batch.dataset &&
  batch.modelVersion &&
  h("a", { href: to("models", batch.dataset, batch.modelVersion) }, `model ${batch.modelVersion}`);

/** @type {Page.Column<Api.Batch>[]} */
const COLUMNS = [
  {
    title: "File of clients",
    width: "minmax(0, 2.2fr)",
    name: true,
    cell: (batch) => [
      h("a", { href: to("batches", batch.id) }, batch.name),
      batch.reason && h("span", { class: "under" }, batch.reason),
    ],
  },
  { title: "State", width: "minmax(6.5rem, 0.8fr)", cell: (batch) => badge(batch.state, "batch") },
  {
    title: "Progress",
    width: "minmax(9rem, 1.8fr)",
    cell: (batch) => batch.state !== "refused" && progress(batch),
  },
  { title: "Scored by", width: "minmax(5.5rem, 0.7fr)", cell: byModel },
  {
    title: "Rejected",
    width: "6rem",
    right: true,
    cell: (batch) => shown(batch.rejectedRows, number(batch.rejectedRows)),
  },
  { title: "When", width: "minmax(7rem, 0.8fr)", right: true, cell: (batch) => ago(batch.lastModifiedAt) },
];

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, feeds, live }) {
  if (feeds.batches) return list(here, feeds.batches, live);
  const batch = feeds.batch.value;
  return [
    head({
      title: batch?.name ?? title(here),
      crumbs: [["Batches", to("batches")]],
      mark: batch && badge(batch.state, "batch"),
    }),
    fromFeed(feeds.batch, (value) => one(value, feeds.rows, live)),
  ];
}

/** @param {Page.Route} here @param {Feed<"batches">} feed @param {Live} live */
function list(here, feed, live) {
  const chosen = here.query.get("state") ?? "";
  const model = here.query.get("model") ?? "";
  return [
    head({
      title: "Batches",
      lead: "Files of clients, each scored by the one model that was in service when it began.",
      tools: [actionButton(uploadClients(), live), actionButton(scoreNow(), live)],
    }),
    h(
      "div",
      { class: "stack" },
      segments(
        "Which batches",
        choices("batch").map(([text, state]) => [text, to("batches", { state, model }), state === chosen]),
      ),
      panel(
        {
          title: model ? `Batches that ${model} scores, newest first` : "Batches, newest first",
          flush: true,
          name: "batches",
          tools: model && h("a", { class: "more", href: to("batches", { state: chosen }) }, "Those of every model"),
        },
        fromFeed(
          feed,
          (value) => [table("Batches", COLUMNS, value.value), pages(value, ["batches"], here.query)],
          chosen || model
            ? nothing(chosen ? "No batch in this state" : "No batch of this model")
            : nothing("No batch yet", "Drop a file of clients: ", h("code", {}, "./dev drop --scoring FILE")),
        ),
      ),
    ),
  ];
}

// --- one -----------------------------------------------------------------------------------------------------------

/**
 * What a batch's reason says, and what to do about it; in any other state it says why the batch waits. The reason of a
 * refusal names its own remedy: the file is not always at fault.
 * @type {{ [S in Page.State<"batch">]?: [title: string, tone: Page.Tone, next?: string] }}
 */
const WHY = {
  refused: ["Why it cannot be scored", "bad", "A file that is dropped again is a new batch."],
  held: ["Why it is held", "bad", "Have it scored as it is, or drop a mended file of the same name, which takes its place."],
  duplicate: ["Why it is not scored again", "rest"],
  replaced: ["Why it was held", "rest", "A newer version of the file is scored instead."],
};

/** @param {Api.Batch} batch @param {Live} live */
function why(batch, live) {
  const [title, tone, next] = WHY[batch.state] ?? ["Why it waits", "warn"];
  return panel(
    { title, tools: needsPerson(batch) && actionButton(approveBatch(batch), live) },
    reason(batch.reason, tone, next),
  );
}

/** @param {Api.Batch} batch @param {Feed<"batches/{batch}/rows">} rows @param {Live} live */
function one(batch, rows, live) {
  return h(
    "div",
    { class: "stack" },
    batch.reason && why(batch, live),
    batch.state !== "refused" &&
      panel(
        { title: "Progress" },
        h(
          "div",
          { class: "stack" },
          progress(batch),
          shards(batch),
          batch.steps && batch.steps.length > 0 && gantt(batch),
        ),
      ),
    h(
      "div",
      { class: "pair" },
      panel(
        { title: "In numbers" },
        facts([
          ["Rows", number(batch.rows), true],
          ["Scored by", byModel(batch), true],
          ["Rejected rows", number(batch.rejectedRows)],
          ["Deployment", batch.deployment],
          ["Run", batch.run && h("a", { href: to("runs", batch.run) }, batch.run)],
          ["Rate", batch.rowsPerSecond && `${compact(batch.rowsPerSecond)} rows/s`],
          ["Took", batch.sealedAt && batch.startedAt && duration(seconds(batch.startedAt, batch.sealedAt))],
          ["Received", ago(batch.createdAt)],
          traced(batch),
          [
            "Lineage",
            h("a", { href: to("trace", "scoring", ...batch.name.split("/")) }, "Back to the files behind it"),
          ],
        ]),
      ),
      batch.output &&
        panel(
          { title: "Where the scores are" },
          places([
            ["CSV", h("code", {}, batch.output)],
            ["Parquet", batch.parquet && h("code", {}, batch.parquet)],
            ["Manifest", batch.manifest && h("code", {}, batch.manifest)],
          ]),
        ),
    ),
    ...outcome(batch),
    batch.decileCounts &&
      panel(
        {
          title: "How the scores are spread",
          about:
            "Clients by tenth of probability, as the model's own held-out rows are spread: 10 is the most likely.",
        },
        deciles(batch.decileCounts),
      ),
    batchDrift(batch) &&
      panel(
        {
          title: "Drift",
          about: "How far its columns and scores are from what its model learned, and what that costs.",
        },
        batchDrift(batch),
      ),
    batch.state === "scored" &&
      panel(
        {
          title: "First rows",
          flush: true,
          about: "As they stand in the output; what a spreadsheet would take for a formula is defused.",
        },
        fromFeed(rows, scoredRows),
      ),
  );
}

/** What it is expected to bring, whom to call, and what came of it. @param {Api.Batch} batch */
function outcome({ callList: calls, callListProblem: problem, expected, outcomes }) {
  return [
    outcomes &&
      panel(
        {
          title: "Expected and realised",
          about: `${number(outcomes.rows)} rows whose outcome is known, by ${number(outcomes.files)} files; calibration error ${digits(outcomes.calibrationError, 3)}.`,
        },
        h("div", { class: "stack" }, reconciled(outcomes), byDecile(outcomes)),
      ),
    problem && panel({ title: "Why there is no call list" }, reason(problem, "bad")),
    (expected || calls) &&
      h(
        "div",
        { class: "pair" },
        expected &&
          panel(
            { title: "Expected, before anybody calls", about: "If the probabilities of all its clients are right." },
            expectation(expected),
          ),
        calls && panel({ title: "Call list", about: "Whom to call, best first." }, callList(calls)),
      ),
  ];
}

/** @param {Api.Batch} batch */
function shards(batch) {
  if (!batch.shards || batch.shards < 2 || batch.shards > 400) return null;
  const done = batch.shardsScored ?? 0;
  return h(
    "div",
    { class: "shards", role: "img", "aria-label": `${done} of ${batch.shards} shards scored` },
    Array.from({ length: batch.shards }, (_, place) => h("i", { "data-done": place < done })),
  );
}
