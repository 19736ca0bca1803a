/** Everything that happened, newest first: one line for each transition. */

import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, words } from "../core/format.js";
import { to } from "../core/router.js";
import { eventTone, sentence, typeName } from "../parts/happened.js";
import { head } from "../parts/head.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { pages, table } from "../parts/table.js";

export const title = () => "Events";
/** @param {Page.Route} here */
export const feeds = ({ query }) => ({
  events: resource("events", { maxpagesize: 100, after: query.get("after"), dataset: query.get("dataset") }),
});

/** @type {Page.Column<Api.CloudEvent>[]} */
const COLUMNS = [
  {
    title: "What",
    width: "minmax(0, 3fr)",
    name: true,
    cell: (event) => {
      const { reason } = /** @type {Page.Told} */ (event.data);
      return [h("span", { class: "said" }, sentence(event)), reason && h("span", { class: "under" }, reason)];
    },
  },
  {
    title: "Type",
    width: "minmax(9rem, 1fr)",
    cell: (event) =>
      h(
        "span",
        { class: "badge", "data-tone": eventTone(event), title: event.type },
        words(typeName(event.type)),
      ),
  },
  {
    title: "When",
    width: "minmax(7rem, 0.8fr)",
    right: true,
    cell: (event) => ago(event.time),
  },
];

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, feeds }) {
  return [
    head({
      title: "Events",
      lead: [
        "The same goes out as CloudEvents, to Event Grid and to webhooks. For one file's own events, ",
        h("a", { href: to("trace") }, "trace it"),
        ".",
      ],
    }),
    panel(
      { title: "Newest first", flush: true },
      fromFeed(
        feeds.events,
        (value) => [table("Events", COLUMNS, value.value), pages(value, ["events"], here.query)],
        nothing("Nothing has happened yet", "Drop a file: ", h("code", {}, "./dev drop FILE")),
      ),
    ),
  ];
}
