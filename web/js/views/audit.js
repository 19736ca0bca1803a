/** The audit trail: who requested what, newest first. An admin's view: the API refuses it to everybody else. */

import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago } from "../core/format.js";
import { head } from "../parts/head.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { pages, table } from "../parts/table.js";

export const title = () => "Audit";
/** @param {Page.Route} here */
export const feeds = ({ query }) => ({
  audit: resource("audit", { maxpagesize: 100, after: query.get("after") }),
});

/** @typedef {Api.AuditEntry & { id: number, follows: boolean }} Linked */

/** @type {Page.Column<Linked>[]} */
const COLUMNS = [
  {
    title: "What was requested",
    width: "minmax(0, 3fr)",
    name: true,
    cell: (entry) => [
      h("span", { class: "said" }, entry.action),
      entry.reason && h("span", { class: "under" }, entry.reason),
    ],
  },
  {
    title: "By whom",
    width: "minmax(8rem, 1.4fr)",
    cell: (entry) => [entry.caller, h("span", { class: "under" }, `as ${entry.scope}`)],
  },
  {
    title: "Entry",
    width: "minmax(7rem, 0.9fr)",
    cell: (entry) => [
      h("code", { title: `This entry's hash: ${entry.hash}` }, entry.sequence),
      !entry.follows && h("span", { class: "badge", "data-tone": "bad" }, "does not follow"),
    ],
  },
  {
    title: "When",
    width: "minmax(7rem, 0.8fr)",
    right: true,
    cell: (entry) => ago(entry.recordedAt),
  },
];

/**
 * Each with whether it names the hash of the entry shown after it, which is the one before it in time.
 * @param {Api.AuditEntry[]} entries
 * @returns {Linked[]}
 */
function linked(entries) {
  return entries.map((entry, place) => {
    const before = entries[place + 1];
    const follows = !before || (before.sequence === entry.sequence - 1 && before.hash === entry.previousHash);
    return { ...entry, id: entry.sequence, follows };
  });
}

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, feeds }) {
  return [
    head({
      title: "Audit",
      lead: [
        "Each entry holds the hash of the one before it: one that was changed or taken out shows. ",
        h("code", {}, "./dev audit --verify"),
        " computes them all again.",
      ],
    }),
    panel(
      { title: "Newest first", flush: true },
      fromFeed(
        feeds.audit,
        (value) => [
          table("Audit", COLUMNS, linked(value.value)),
          pages(value, ["audit"], here.query),
        ],
        nothing("Nobody has requested anything yet", "Actions are recorded here, with who requested them and why."),
      ),
    ),
  ];
}
