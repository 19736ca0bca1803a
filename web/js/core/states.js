/** What a state means, from the table of kinds: its tone, its words, whether it goes on or waits for a person. */

import { KINDS, STATUSES } from "./kinds.js";

const statesOf = (kind) => KINDS[kind]?.states ?? STATUSES[kind] ?? {};

/** What a newer app says is not known here: it rests, and is called as it is. */
const known = (state, kind) =>
  statesOf(kind)[state] ?? {
    tone: "rest",
    label: String(state).replaceAll("-", " "),
    sentence: `is ${state}`,
    final: false,
    needsPerson: false,
  };

/** Which of ok, run, warn, bad, rest a state is. kind: of a record, or step, health, progress */
export const tone = (state, kind) => known(state, kind).tone;

export const stateWords = (state, kind) => known(state, kind).label;

/** What is said of a thing that came into this state, after its name. */
export const said = (state, kind) => known(state, kind).sentence;

export const isGoing = ({ state, kind }) => tone(state, kind) === "run";

export const isFinal = (state, kind) => known(state, kind).final;

export const needsPerson = ({ state, kind }) => known(state, kind).needsPerson;

/** The states in which something follows by itself. */
export const goingStates = (kind) => Object.keys(statesOf(kind)).filter((state) => tone(state, kind) === "run");

/** The states that wait for a person. */
export const waitingStates = (kind) =>
  Object.keys(statesOf(kind)).filter((state) => known(state, kind).needsPerson);

/** What a list can be narrowed to: each as [words, state], all first. */
export const choices = (kind) => [
  ["All", ""],
  ...Object.entries(statesOf(kind)).map(([state, { label }]) => [
    label.charAt(0).toUpperCase() + label.slice(1),
    state,
  ]),
];
