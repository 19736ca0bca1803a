/** A state as a word with a colour and a mark. */

import { h } from "../core/dom.js";

const TONES = {
  ok: [
    "registered",
    "released",
    "scored",
    "accepted",
    "trained",
    "serving",
    "pass",
    "Succeeded",
    "resolved",
    "completed",
    "Completed",
  ],
  run: [
    "arrived",
    "creating",
    "asked",
    "admitted",
    "registering",
    "training",
    "started",
    "running",
    "Running",
    "releasing",
    "scoring",
    "due",
    "waiting",
    "NotStarted",
    "Preparing",
    "Queued",
  ],
  warn: ["rolled-back", "paused", "canceled", "Canceled", "warn"],
  bad: ["rejected", "held", "failed", "Failed", "dead-lettered", "fail"],
  rest: ["duplicate", "retried", "refused", "previous", "retired", "standby", "discarded"],
};

/** A batch that was refused is trouble; a model that was refused is the gate at work. */
const BY_KIND = { "batch refused": "bad", "step NotStarted": "rest", "step waiting": "rest" };

const WORDS = {
  held: "in quarantine",
  retried: "checked again",
  "quarantine released": "admitted after all",
  "rolled-back": "rolled back",
  creating: "being made",
  "dead-lettered": "given up",
  known: "known already",
  rejected: "in quarantine",
  NotStarted: "not started",
  released: "in service",
};

/** Which of ok, run, warn, bad, rest a state is. */
export function tone(state, kind = "") {
  return (
    BY_KIND[`${kind} ${state}`] ?? Object.keys(TONES).find((name) => TONES[name].includes(state)) ?? "rest"
  );
}

export const stateWords = (state, kind = "") =>
  WORDS[`${kind} ${state}`] ?? WORDS[state] ?? String(state).replaceAll("-", " ").toLowerCase();

export function badge(state, kind = "") {
  return h("span", { class: "badge", "data-tone": tone(state, kind) }, stateWords(state, kind));
}
