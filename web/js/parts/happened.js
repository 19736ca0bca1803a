/** What happened, as sentences: one for each state a thing can come into. */

import { h } from "../core/dom.js";
import { ago, plural } from "../core/format.js";
import { to, toQuarantined, toRecord, uploadName } from "../core/router.js";
import { recordTone, said } from "../core/states.js";

/** What people did has no page of its own. @param {Page.Told} told */
function requested(told) {
  if (told.kind === "operation") {
    const by = told.by ? `, with the ${told.by.replace("key:", "key of the ")}` : "";
    return `Requested: ${told.action ?? "an action"}${by}`;
  }
  if (told.kind !== "work") return "";
  const why = told.pausedBecause ? `: ${told.pausedBecause}` : "";
  return told.state === "paused" ? `Everything is paused${why}` : "Work goes on";
}

/** Campanha.BatchScored.v1 -> BatchScored @param {string} type */
export const typeName = (type) =>
  type
    .replace(/^Campanha\./, "")
    .replace(/\.v\d+$/, "");

/** @param {Api.CloudEvent} event */
export const eventTone = (event) => recordTone(/** @type {Page.Stateful} */ (event.data));

/** The thing an event is about, and where it is shown. @param {Api.CloudEvent} event */
export function subject(event) {
  const { kind, id, ...told } = /** @type {Page.Told} */ (event.data);
  const ofFile = kind === "upload" || kind === "quarantine";
  const name = told.name ?? told.about ?? ((ofFile && uploadName(id)) || id);
  if (kind === "upload") return { name, href: to("trace", "incoming", ...name.split("/")) };
  if (kind === "quarantine") return { name, href: toQuarantined(name, id) };
  return { name, href: toRecord(kind, id) };
}

/** @param {Api.CloudEvent} event */
export function sentence(event) {
  const told = /** @type {Page.Told} */ (event.data);
  const aloud = requested(told);
  if (aloud) return [aloud];
  const { name, href } = subject(event);
  const words = said(told.state, told.kind);
  const rows = told.rows ? `, ${plural(told.rows, "row")}` : "";
  return [h("a", { href }, name), ` ${words}${rows}`];
}

/** Events as lines, newest first. @param {Api.CloudEvent[]} events @param {string} label */
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
