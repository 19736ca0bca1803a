/** What happened, in sentences. */

import assert from "node:assert/strict";
import { beforeEach, it } from "node:test";
import { h } from "../../web/js/core/dom.js";
import { eventTone, sentence, subject } from "../../web/js/parts/happened.js";
import { freshDocument } from "./document.js";

beforeEach(() => {
  freshDocument();
});

const event = (kind, state, told = {}) => ({ id: "1", data: { kind, id: `${kind}-1`, state, seq: 1, ...told } });
const words = (of) => h("p", {}, sentence(of)).textContent;

for (const [told, said] of [
  [event("work", "paused", { pausedBy: "key:operator", pausedBecause: "moving house" }), "Everything is paused: moving house"],
  [event("work", "paused"), "Everything is paused"],
  [event("work", "resumed", { resumedBecause: "done" }), "Work goes on"],
  [event("operation", "requested", { action: "pause", by: "key:operator" }), "Requested: pause, with the key of the operator"],
  [event("operation", "requested"), "Requested: an action"],
  [event("batch", "scored", { name: "to-call.csv", rows: 1 }), "to-call.csv is scored, 1 row"],
  [event("upload", "admitted", { id: "upload/2026/may.csv/0x1" }), "2026/may.csv fits its contract"],
  [event("forecast", "set-aside"), "forecast-1 is set-aside"],
]) {
  it(said, () => assert.equal(words(told), said));
}

it("leads to where the thing is shown", () => {
  const told = { id: "upload/2026/may.csv/0x1" };
  assert.equal(subject(event("upload", "arrived", told)).href, "#/trace/incoming/2026/may.csv");
  assert.equal(subject(event("quarantine", "held", told)).href, "#/quarantine/2026/may.csv?upload=upload%2F2026%2Fmay.csv%2F0x1");
  assert.equal(subject(event("upload", "admitted", { id: "readmitted/upload-2/2026/may.csv/0x1" })).href, "#/trace/incoming/2026/may.csv");
  assert.equal(subject(event("run", "failed", { id: "r" })).href, "#/runs/r");
});

it("has the tone of the state; of what is not known, none", () => {
  assert.deepEqual([event("run", "failed"), event("forecast", "failed")].map(eventTone), ["bad", "rest"]);
});
