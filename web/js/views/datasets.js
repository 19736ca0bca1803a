/** Dataset versions: the list, and one of them with its members. */

import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, number, plural, shown } from "../core/format.js";
import { to } from "../core/router.js";
import { choices, needsPerson } from "../core/states.js";
import { doubtButtons } from "../parts/attention.js";
import { badge } from "../parts/badge.js";
import { facts, reason, traced } from "../parts/facts.js";
import { head, segments } from "../parts/head.js";
import { retrainLabel } from "../parts/operator.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { doubtPicture } from "../parts/picture.js";
import { pages, table } from "../parts/table.js";

/** @param {Page.Route} here */
export const title = (here) => (here.parts.length ? here.parts.join(":") : "Dataset versions");
/** @param {Page.Route} here */
export function feeds({ parts: [name, version], query }) {
  if (!version)
    return { datasets: resource("datasets", { maxpagesize: 50, state: query.get("state"), after: query.get("after") }) };
  return {
    dataset: resource("datasets/{name}/{version}", { name, version }),
    uploads: resource("uploads", { dataset: name, maxpagesize: 200 }),
  };
}

/** @type {Page.Column<Api.DatasetVersion>[]} */
const COLUMNS = [
  {
    title: "Version",
    width: "minmax(0, 1.6fr)",
    name: true,
    cell: (dataset) => h("a", { href: to("datasets", dataset.dataset, dataset.version) }, dataset.id),
  },
  { title: "State", width: "minmax(8rem, 1fr)", cell: (dataset) => badge(dataset.state, "dataset") },
  { title: "Rows", width: "7rem", right: true, cell: (dataset) => shown(dataset.rows, number(dataset.rows)) },
  { title: "New files", width: "5rem", right: true, cell: (dataset) => number(dataset.uploads?.length ?? 0) },
  {
    title: "Run",
    width: "minmax(0, 1.6fr)",
    cell: (dataset) => dataset.run && h("a", { href: to("runs", dataset.run) }, dataset.run),
  },
  { title: "When", width: "minmax(7rem, 1fr)", right: true, cell: (dataset) => ago(dataset.lastModifiedAt) },
];

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, feeds, live }) {
  if (feeds.datasets) return list(here, feeds.datasets);
  return [
    head({
      title: title(here),
      crumbs: [["Dataset versions", to("datasets")]],
      mark: feeds.dataset.value && badge(feeds.dataset.value.state, "dataset"),
    }),
    fromFeed(feeds.dataset, (dataset) => one(dataset, feeds.uploads, live)),
  ];
}

/** @import { Feed } from "../core/feed.js" */
/** @import { Live } from "../core/live.js" */

/** @param {Page.Route} here @param {Feed<"datasets">} feed */
function list(here, feed) {
  const chosen = here.query.get("state") ?? "";
  return [
    head({
      title: "Dataset versions",
      lead: "Each is a manifest that names its members exactly; the same files always make the same version.",
    }),
    h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "tools" },
        segments(
          "Which versions",
          choices("dataset").map(([text, state]) => [text, to("datasets", { state }), state === chosen]),
        ),
        segments("Which list", [
          ["Files", to("files"), false],
          ["Dataset versions", to("datasets"), true],
        ]),
      ),
      panel(
        { title: "Versions, newest first", flush: true },
        fromFeed(
          feed,
          (value) => [
            table("Dataset versions", COLUMNS, value.value),
            pages(value, ["datasets"], here.query),
          ],
          chosen
            ? nothing("No dataset version in this state")
            : nothing("No dataset version yet", "The first is made when an admitted file's burst is over."),
        ),
      ),
    ),
  ];
}

/** @param {Api.DatasetVersion} dataset @param {Feed<"uploads">} uploads @param {Live} live */
function one(dataset, uploads, live) {
  const members = (uploads.value?.value ?? []).filter((upload) => upload.datasetVersion === dataset.id);
  return h(
    "div",
    { class: "stack" },
    panel(
      { title: "In numbers" },
      facts([
        ["Rows", shown(dataset.rows, number(dataset.rows)), true],
        ["Repeated rows", dataset.repeatedRows && number(dataset.repeatedRows), true],
        ["New files", number(dataset.uploads?.length ?? 0), true],
        ["Files replaced", dataset.replacedUploads && number(dataset.replacedUploads.length), true],
        ["Run", dataset.run && h("a", { href: to("runs", dataset.run) }, dataset.run)],
        [
          "Model",
          dataset.model && h("a", { href: to("models", dataset.dataset, dataset.version) }, dataset.model),
        ],
        ["Registered", ago(dataset.createdAt)],
        ["Waits for", dataset.postponedBecause],
        traced(dataset),
      ]),
      dataset.state === "failed" &&
        reason(
          dataset.reason,
          "bad",
          `The run's page shows which step failed. After mending it: “${retrainLabel(dataset.dataset)}”, on the page Files.`,
        ),
    ),
    dataset.doubtedBecause &&
      panel(
        {
          title: "Rows in doubt",
          about: "Training leaves the rows out that came in with it, until a person answers for them or takes them out.",
          tools: needsPerson(dataset) && doubtButtons(dataset, live),
        },
        h(
          "div",
          { class: "stack" },
          reason(dataset.doubtedBecause, needsPerson(dataset) ? "warn" : "rest"),
          doubtPicture(dataset),
          dataset.trustedBy && reason(`Trusted by ${dataset.trustedBy}: ${dataset.trustedBecause}`, "ok"),
        ),
      ),
    panel(
      { title: "Files that made it new", flush: true },
      members.length
        ? h(
            "ul",
            { class: "lines" },
            members.map((upload) =>
              h(
                "li",
                {},
                h(
                  "a",
                  { class: "what", href: to("trace", "incoming", ...upload.name.split("/")) },
                  upload.name,
                ),
                ago(upload.createdAt),
                h("p", { class: "why" }, upload.rows !== undefined && plural(upload.rows, "row")),
              ),
            ),
          )
        : nothing(
            "Not among the newest files",
            "Its members stand in its manifest, in the container datasets.",
          ),
    ),
  );
}
