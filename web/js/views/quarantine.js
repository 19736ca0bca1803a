/** Quarantine: which files were rejected, whole or in part, and for every row why and what to do. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, number, plural } from "../core/format.js";
import { to, toQuarantined } from "../core/router.js";
import { choices, needsPerson } from "../core/states.js";
import { badge } from "../parts/badge.js";
import { facts, reason, traced } from "../parts/facts.js";
import { head, segments } from "../parts/head.js";
import { discard, readmit, retry } from "../parts/operator.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { gridTable, pages, table } from "../parts/table.js";

/** @param {Page.Route} here */
const name = (here) => here.parts.join("/");

/** @param {Page.Route} here */
export const title = (here) => (here.parts.length ? name(here) : "Quarantine");
/** @param {Page.Route} here */
export function feeds(here) {
  const { parts, query } = here;
  if (parts.length) return { one: resource("quarantine/{name}", { name: name(here), upload: query.get("upload") }) };
  return { list: resource("quarantine", { maxpagesize: 50, state: query.get("state"), after: query.get("after") }) };
}

/** @type {Page.Column<Api.QuarantinedUpload>[]} */
const COLUMNS = [
  {
    title: "File",
    width: "minmax(0, 3fr)",
    name: true,
    cell: (file) => [
      h("a", { href: toQuarantined(file.name, file.upload) }, file.name),
      file.reason && h("span", { class: "under" }, file.reason),
    ],
  },
  { title: "State", width: "minmax(8.5rem, 1fr)", cell: (file) => badge(file.state, "quarantine") },
  {
    title: "Rows rejected",
    width: "7.5rem",
    right: true,
    cell: (file) => (file.wholeFile ? `all${file.rows ? `, ${number(file.rows)}` : ""}` : number(file.rows)),
  },
  { title: "When", width: "minmax(7rem, 1fr)", right: true, cell: (file) => ago(file.lastModifiedAt) },
];

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, feeds, live }) {
  if (feeds.list) return list(here, feeds.list);
  const found = feeds.one.value;
  return [
    head({
      title: name(here),
      crumbs: [["Quarantine", to("quarantine")]],
      tools: found?.decision && needsPerson(found.decision) && tools(found.upload, live),
      mark: found && mark(found),
    }),
    fromFeed(feeds.one, one),
  ];
}

/** @param {Page.Route} here @param {import("../core/feed.js").Feed<"quarantine">} feed */
function list(here, feed) {
  const chosen = here.query.get("state") ?? "";
  /** @type {[string, string, boolean][]} */
  const narrowed = choices("quarantine").map(([text, state]) => [text, to("quarantine", { state }), state === chosen]);
  const rows = (/** @type {Api.QuarantinedUploadPage} */ value) => [
    table("Quarantine", COLUMNS, value.value),
    pages(value, ["quarantine"], here.query),
  ];
  const empty = chosen
    ? nothing("No file in this state")
    : nothing("Quarantine is empty", "Every row that came fits its contract.");
  return [
    head({
      title: "Quarantine",
      lead: "Files of which rows, or all, do not fit the data contract. Nothing in here was trained on.",
    }),
    h(
      "div",
      { class: "stack" },
      segments("Which files", narrowed),
      panel({ title: "Files, newest first", flush: true }, fromFeed(feed, rows, empty)),
    ),
  ];
}

/** @param {Api.QuarantineReport} report */
const mark = ({ decision, upload }) =>
  decision ? badge(decision.state, "quarantine") : badge(upload.state, "upload");

/** @param {Api.Upload} upload @param {import("../core/live.js").Live} live */
function tools(upload, live) {
  return [
    actionButton(retry(upload), live),
    actionButton(readmit(upload), live),
    actionButton(discard(upload), live),
  ];
}

/** @param {Api.QuarantineReport} found */
function one(found) {
  const { decision, upload, violations } = found;
  return h(
    "div",
    { class: "stack" },
    panel(
      { title: "Why" },
      h(
        "div",
        { class: "stack" },
        reason(
          whole(upload),
          upload.state === "rejected" ? "bad" : "warn",
          "Mend the file as the table below says and drop it again; duplicates are recognised.",
        ),
        facts([
          ["Received", ago(upload.createdAt)],
          ["Rows admitted", upload.state === "rejected" ? "none" : number(upload.rows)],
          ["Rows rejected", upload.rejectedRows ? number(upload.rejectedRows) : "all"],
          ["Decided by", decision?.decidedBy],
          ["Because", decision?.decidedBecause],
          ["Full report", h("code", {}, found.reportBlob)],
          traced(upload),
          [
            "Lineage",
            h("a", { href: to("trace", "incoming", ...upload.name.split("/")) }, "What became of it"),
          ],
        ]),
      ),
    ),
    summary(found.violationsByRule),
    panel(
      {
        title: "Rows",
        flush: true,
        about: found.hasMore
          ? `The first ${number(violations.length)} faults; the full report has them all.`
          : plural(violations.length, "fault"),
      },
      faults(violations),
    ),
  );
}

/** @param {Api.Upload} upload */
const whole = (upload) =>
  upload.reason ??
  `${plural(upload.rejectedRows ?? 0, "row does", "rows do")} not fit the contract; the other ${number(upload.rows)} were admitted.`;

/** @param {Api.QuarantineReport["violationsByRule"]} rules */
function summary(rules) {
  const sorted = Object.entries(rules).sort((a, b) => b[1] - a[1]);
  const most = sorted[0]?.[1] ?? 1;
  return panel(
    { title: "Which rules, how often", about: "A row may break several." },
    h(
      "ul",
      { class: "bar-chart" },
      sorted.map(([rule, count]) =>
        h(
          "li",
          {},
          h("span", {}, rule),
          h("span", { class: "number" }, number(count)),
          h(
            "div",
            { class: "track", "aria-hidden": "true" },
            h("span", {
              class: "bar-fill",
              "data-tone": "bad",
              vars: { "--share": (count / most).toFixed(4) },
            }),
          ),
        ),
      ),
    ),
  );
}

/** @param {Api.RuleViolation[]} violations */
function faults(violations) {
  const columns = [
    { title: "Line", right: true },
    { title: "Column" },
    { title: "Value", wrap: true },
    { title: "Rule it breaks", wrap: true },
    { title: "What to do", wrap: true },
  ];
  return gridTable(
    "Faults",
    columns,
    violations.map((violation) => [
      number(violation.line),
      violation.column || "whole line",
      violation.value === "" ? h("span", { class: "quiet" }, "empty") : h("code", {}, violation.value),
      violation.rule,
      violation.remedy,
    ]),
  );
}
