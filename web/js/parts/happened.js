/** What happened, as sentences: one for each state a thing can come into. */

import { h } from "../core/dom.js";
import { ago, plural } from "../core/format.js";
import { to, toQuarantined, toRecord } from "../core/router.js";
import { said, tone } from "../core/states.js";

/** What people did has no page of its own. */
const REQUESTED = {
  operation: ({ action, by }) =>
    `Requested: ${action ?? "an action"}${by ? `, with the ${by.replace("key:", "key of the ")}` : ""}`,
  work: ({ state, reason }) =>
    state === "paused" ? `Everything is paused${reason ? `: ${reason}` : ""}` : "Work goes on",
};

/** The state an event reports: Campanha.BatchScored.v1 -> scored. */
const stateOf = (event) => event.data.state;

export const typeName = (type) =>
  String(type)
    .replace(/^Campanha\./, "")
    .replace(/\.v\d+$/, "");

export const eventTone = (event) => tone(stateOf(event), event.data.kind);

/** upload/NAME/ETAG -> NAME: what a file's id holds of its name. */
const fileName = (id) =>
  String(id)
    .replace(/^upload\//, "")
    .replace(/\/[^/]*$/, "");

/** The thing an event is about, and where it is shown. */
export function subject(event) {
  const { kind, id } = event.data;
  const ofFile = kind === "upload" || kind === "quarantine";
  const name = event.data.name ?? event.data.about ?? (ofFile ? fileName(id) : id);
  if (kind === "upload") return { name, href: to("trace", "incoming", ...name.split("/")) };
  if (kind === "quarantine") return { name, href: toQuarantined(name, id) };
  return { name, href: toRecord(kind, id) };
}

export function sentence(event) {
  const aloud = REQUESTED[event.data.kind]?.(event.data);
  if (aloud) return [aloud];
  const { name, href } = subject(event);
  const words = said(stateOf(event), event.data.kind);
  const rows = event.data.rows ? `, ${plural(event.data.rows, "row")}` : "";
  return [h("a", { href }, name), ` ${words}${rows}`];
}

/** events as lines, newest first */
export function feedList(events, label) {
  return h(
    "ol",
    { class: "feed", tabindex: "0", "aria-label": label },
    events.map((event) =>
      h(
        "li",
        { key: event.id },
        h("span", { class: "dot", "data-tone": eventTone(event), "aria-hidden": "true" }),
        h("span", { class: "said" }, sentence(event)),
        ago(event.time),
      ),
    ),
  );
}
