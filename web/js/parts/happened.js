/** What happened, as sentences: one for each type of event. */

import { h } from "../core/dom.js";
import { ago, plural } from "../core/format.js";
import { to, toRecord } from "../core/router.js";

const SAID = {
  UploadArrived: ["run", "arrived"],
  UploadAdmitted: ["ok", "admitted"],
  UploadKnown: ["rest", "holds rows that are known already"],
  UploadRejected: ["bad", "went to quarantine"],
  UploadReleased: ["ok", "was released from quarantine"],
  DatasetRegistered: ["ok", "registered as a dataset version"],
  NothingNew: ["rest", "nothing new since the last version"],
  RunStarted: ["run", "training started"],
  RunPostponed: ["run", "waits for the run before it"],
  RunFailed: ["bad", "the run failed"],
  RunFinished: ["run", "the run is over"],
  ModelAccepted: ["ok", "is better: accepted"],
  ModelRefused: ["warn", "is not better: refused"],
  ModelReleased: ["ok", "is in service"],
  ReleaseRolledBack: ["bad", "was rolled back"],
  BatchDue: ["run", "waits to be scored"],
  BatchScored: ["ok", "is scored"],
  BatchRefused: ["bad", "cannot be scored"],
  StepGivenUp: ["bad", "given up: a person is needed"],
};

/** Campanha.UploadAdmitted.v1 -> UploadAdmitted */
export const typeName = (type) =>
  String(type)
    .replace(/^Campanha\./, "")
    .replace(/\.v\d+$/, "");

export function eventTone(event) {
  return SAID[typeName(event.type)]?.[0] ?? "rest";
}

/** The thing an event is about, and where it is shown. */
export function subject(event) {
  const of = event.of ?? {};
  const name =
    event.data?.name ?? event.data?.about ?? String(event.subject ?? of.id).replace(/^[a-z]+\//, "");
  if (of.kind === "upload") return { name, href: to("trace", `incoming/${name}`) };
  return { name, href: toRecord(of.kind, of.id) };
}

export function sentence(event) {
  const { name, href } = subject(event);
  const [, words] = SAID[typeName(event.type)] ?? [
    "rest",
    typeName(event.type)
      .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
      .toLowerCase(),
  ];
  const rows = event.data?.rows !== undefined ? `, ${plural(event.data.rows, "row")}` : "";
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
