/** What a state means, from the table of kinds: its tone, its words, whether it goes on or waits for a person. */

import { KINDS, STATUSES } from "./kinds.js";

/** @type {Record<string, Record<string, Page.StateMeaning>>} */
const MEANINGS = {
  ...Object.fromEntries(Object.entries(KINDS).map(([kind, { states }]) => [kind, states])),
  ...STATUSES,
};

/**
 * @param {string} kind
 * @returns {Record<string, Page.StateMeaning>}
 */
const statesOf = (kind) => MEANINGS[kind] ?? {};

/**
 * What a newer app says is not known here: it rests, and is called as it is.
 * @param {string} state
 * @param {string} kind
 * @returns {Page.StateMeaning}
 */
const known = (state, kind) =>
  statesOf(kind)[state] ?? {
    tone: "rest",
    label: String(state).replaceAll("-", " "),
    sentence: `is ${state}`,
    final: false,
    needsPerson: false,
  };

/**
 * Which of ok, run, warn, bad, rest a state is. kind: of a record, or step, health, progress
 * @type {<K extends Page.Kind | Page.StatusKind>(state: Page.StateOf<K>, kind: K) => Page.Tone}
 */
export const tone = (state, kind) => known(state, kind).tone;

/** @type {<K extends Page.Kind | Page.StatusKind>(state: Page.StateOf<K>, kind: K) => string} */
export const stateWords = (state, kind) => known(state, kind).label;

/**
 * What is said of a thing that came into this state, after its name.
 * @type {(state: string, kind: string) => string}
 */
export const said = (state, kind) => known(state, kind).sentence;

/** @param {Page.Stateful} record */
export const recordTone = ({ state, kind }) => known(state, kind).tone;

/** @param {Page.Stateful} record */
export const recordWords = ({ state, kind }) => known(state, kind).label;

/** @param {Page.Stateful} record */
export const isGoing = (record) => recordTone(record) === "run";

/** @type {<K extends Page.Kind | Page.StatusKind>(state: Page.StateOf<K>, kind: K) => boolean} */
export const isFinal = (state, kind) => known(state, kind).final;

/** @param {Page.Stateful} record */
export const needsPerson = ({ state, kind }) => known(state, kind).needsPerson;

/**
 * The states in which something follows by itself.
 * @type {<K extends Page.Kind>(kind: K) => Page.State<K>[]}
 */
export const goingStates = (kind) => those(kind, (meaning) => meaning.tone === "run");

/**
 * How many records are in such a state, of all there are: the status lists only the newest.
 * @param {Api.SystemStatus} status
 * @param {Page.Kind} kind
 */
export const goingCount = ({ stateCounts }, kind) =>
  goingStates(kind).reduce((sum, state) => sum + (stateCounts[kind]?.[state] ?? 0), 0);

/**
 * The states that wait for a person.
 * @type {<K extends Page.Kind>(kind: K) => Page.State<K>[]}
 */
export const waitingStates = (kind) => those(kind, (meaning) => meaning.needsPerson);

/** @type {<K extends Page.Kind>(kind: K, fits: (meaning: Page.StateMeaning) => boolean) => Page.State<K>[]} */
const those = (kind, fits) => {
  const states = /** @type {Page.State<typeof kind>[]} */ (Object.keys(statesOf(kind)));
  return states.filter((state) => fits(known(state, kind)));
};

/**
 * What a list can be narrowed to: each as [words, state], all first.
 * @param {Page.Kind} kind
 * @returns {[string, string][]}
 */
export function choices(kind) {
  /** @type {[string, string][]} */
  const found = [["All", ""]];
  for (const [state, { label }] of Object.entries(statesOf(kind)))
    found.push([label.charAt(0).toUpperCase() + label.slice(1), state]);
  return found;
}
