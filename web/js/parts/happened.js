/** What happened, as sentences: one for each state a thing can come into. */

import { h } from "../core/dom.js";
import { ago, plural } from "../core/format.js";
import { to, toQuarantined, toRecord } from "../core/router.js";
import { stateWords, tone } from "./badge.js";

const SAID = {
  "upload arrived": "arrived",
  "upload admitted": "fits its contract",
  "upload registered": "became part of a dataset version",
  "upload known": "holds rows that are known already",
  "upload rejected": "does not fit any contract",
  "quarantine held": "is held in quarantine",
  "quarantine retried": "is checked again",
  "quarantine released": "is admitted after all",
  "quarantine discarded": "was discarded",
  "dataset registering": "is being registered",
  "dataset registered": "is registered",
  "dataset waiting": "waits for the run before it",
  "dataset training": "is being trained on",
  "dataset trained": "has been trained on",
  "dataset failed": "could not be trained on",
  "run started": "started",
  "run running": "is running",
  "run completed": "completed",
  "run accepted": "ended: its model is better",
  "run refused": "ended: its model is not better",
  "run failed": "failed",
  "run canceled": "was cancelled",
  "model accepted": "is better: accepted",
  "model refused": "is not better: refused",
  "model releasing": "is being put behind the endpoint",
  "model released": "is in service",
  "model previous": "made way for a newer one",
  "model rolled-back": "was rolled back",
  "deployment creating": "is being made",
  "deployment serving": "serves",
  "deployment removed": "was taken down",
  "deployment failed": "could not be made",
  "deployment standby": "stands by",
  "batch due": "waits to be scored",
  "batch scoring": "is being scored",
  "batch scored": "is scored",
  "batch refused": "cannot be scored",
  "failure dead-lettered": "was given up: a person is needed",
  "failure retried": "is tried again",
  "failure resolved": "is resolved",
};

/** What people did has no page of its own. */
const ASKED = {
  operation: ({ action, by }) =>
    `Asked for: ${action ?? "an action"}${by ? `, with the ${by.replace("key:", "key of the ")}` : ""}`,
  work: ({ state, reason }) =>
    state === "paused" ? `Everything is paused${reason ? `: ${reason}` : ""}` : "Work goes on",
};

/** The state an event tells of: Campanha.BatchScored.v1 -> scored. */
const stateOf = (event) => event.data?.state ?? "";

export const typeName = (type) =>
  String(type)
    .replace(/^Campanha\./, "")
    .replace(/\.v\d+$/, "");

export const eventTone = (event) => tone(stateOf(event), event.of?.kind);

/** upload/NAME/ETAG -> NAME: what a file's id holds of its name. */
const fileName = (id) =>
  String(id)
    .replace(/^upload\//, "")
    .replace(/\/[^/]*$/, "");

/** The thing an event is about, and where it is shown. */
export function subject(event) {
  const { kind, id } = event.of;
  const ofFile = kind === "upload" || kind === "quarantine";
  const name = event.data?.name ?? event.data?.about ?? (ofFile ? fileName(id) : id);
  if (kind === "upload") return { name, href: to("trace", "incoming", ...name.split("/")) };
  if (kind === "quarantine") return { name, href: toQuarantined(name, id) };
  return { name, href: toRecord(kind, id) };
}

export function sentence(event) {
  const aloud = ASKED[event.of.kind]?.(event.data ?? {});
  if (aloud) return [aloud];
  const { name, href } = subject(event);
  const words =
    SAID[`${event.of.kind} ${stateOf(event)}`] ?? stateWords(stateOf(event) || typeName(event.type));
  const rows = event.data?.rows ? `, ${plural(event.data.rows, "row")}` : "";
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
