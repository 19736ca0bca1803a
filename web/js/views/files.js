/** Files that were dropped to train on, and what became of each. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, number, shown } from "../core/format.js";
import { to, toQuarantined } from "../core/router.js";
import { choices } from "../core/states.js";
import { badge } from "../parts/badge.js";
import { head, segments } from "../parts/head.js";
import { retrain, upload } from "../parts/operator.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { pages, table } from "../parts/table.js";

export const title = () => "Files";
/** @param {Page.Route} here */
export const feeds = ({ query }) => ({
  uploads: resource("uploads", { maxpagesize: 50, state: query.get("state"), after: query.get("after") }),
});

/** @type {Page.Column<Api.Upload>[]} */
const COLUMNS = [
  {
    title: "File",
    width: "minmax(0, 2.6fr)",
    name: true,
    cell: (file) => [
      h("a", { href: to("trace", "incoming", ...file.name.split("/")) }, file.name),
      file.reason && h("span", { class: "under" }, file.reason),
    ],
  },
  { title: "State", width: "minmax(8.5rem, 0.9fr)", cell: (file) => badge(file.state, "upload") },
  { title: "Rows", width: "5.5rem", right: true, cell: (file) => shown(file.rows, number(file.rows)) },
  {
    title: "Rejected",
    width: "5.5rem",
    right: true,
    cell: (file) =>
      file.links?.quarantine &&
      h(
        "a",
        { href: toQuarantined(file.name, file.id) },
        file.rejectedRows ? number(file.rejectedRows) : "all: see why",
      ),
  },
  {
    title: "Became",
    width: "minmax(9rem, 1fr)",
    cell: (file) =>
      file.datasetVersion &&
      h("a", { href: to("datasets", ...file.datasetVersion.split(":")) }, file.datasetVersion),
  },
  { title: "When", width: "minmax(7rem, 0.8fr)", right: true, cell: (file) => ago(file.lastModifiedAt) },
];

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, status, feeds, live }) {
  const chosen = here.query.get("state") ?? "";
  return [
    head({
      title: "Files",
      lead: "What was dropped into the container incoming. One click on a name shows what became of it.",
      tools: [
        actionButton(upload(), live),
        status.datasets
          .filter((dataset) => dataset.version)
          .map((dataset) => actionButton(retrain(dataset.dataset), live)),
      ],
    }),
    h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "tools" },
        segments(
          "Which files",
          choices("upload").map(([text, state]) => [text, to("files", { state }), state === chosen]),
        ),
        segments("Which list", [
          ["Files", to("files"), true],
          ["Dataset versions", to("datasets"), false],
        ]),
      ),
      panel(
        { title: "Files, newest first", flush: true },
        fromFeed(
          feeds.uploads,
          (value) => [table("Files", COLUMNS, value.value), pages(value, ["files"], here.query)],
          chosen
            ? nothing("No file in this state")
            : nothing(
                "No file yet",
                "Drop one: ",
                h("code", {}, "./dev drop FILE"),
                ", or put a CSV into the container ",
                h("code", {}, "incoming"),
                ".",
              ),
        ),
      ),
    ),
  ];
}
