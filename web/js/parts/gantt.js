/** A run's steps in time: a strip for lists, bars with a scale for the run's own page. */

import { h } from "../core/dom.js";
import { STATUSES } from "../core/kinds.js";
import { clock, duration, now, words } from "../core/format.js";
import { isGoing, stateWords, tone } from "../core/states.js";

/** What has steps: a run, or a batch that a cluster scores. @typedef {Api.Run | Api.Batch} Stepped */
/** @typedef {Api.RunStep & { begin: number | null, end: number, seconds: number | null }} Span */

/** @param {number} milliseconds */
const iso = (milliseconds) => new Date(milliseconds).toISOString();

/** What a run does: trains on a dataset version, experiments on it, or scores a batch. @param {Api.Run} run */
export const runTitle = (run) =>
  run.batch ? `Scoring ${run.batch}` : `${isExperiment(run) ? "Experiment" : "Training"} on ${run.dataset}, version ${run.version}`;

/** @param {Api.Run} run */
export const isExperiment = (run) => run.pipeline === "experimentation";

/** @param {Api.Run} run */
export const isTraining = (run) => !run.batch && !isExperiment(run);

/** A step that Azure ML has made, and not begun. @param {Api.RunStep} step */
const waits = (step) => step.status in STATUSES.step && tone(step.status, "step") === "rest";

/**
 * Each step with its begin and end in milliseconds; null before it has begun.
 *
 * Azure ML makes all steps of a pipeline at once and reports when it made them. A step that others had to end before
 * cannot have begun earlier than they ended, so the later of the two is its begin.
 * @param {Stepped} run
 * @returns {Span[]}
 */
function spans(run) {
  /** @type {number[]} */
  const ended = [];
  return (run.steps ?? []).map((step) => {
    const end = step.endedAt ? Date.parse(step.endedAt) : isGoing(run) ? now() : Date.parse(run.lastModifiedAt);
    if (!step.startedAt || waits(step)) return { ...step, begin: null, end, seconds: null };
    const begin = Math.max(Date.parse(step.startedAt), ...ended.filter((before) => before <= end));
    ended.push(end);
    return { ...step, begin, end, seconds: (end - begin) / 1000 };
  });
}

/** From the first step's begin to the last one's end, or to now. @param {Stepped} run */
export function runTime(run) {
  const begun = spans(run).flatMap(({ begin, end }) => (begin === null ? [] : [{ begin, end }]));
  if (begun.length === 0) return null;
  const begin = Math.min(...begun.map((step) => step.begin));
  const end = Math.max(...begun.map((step) => step.end));
  return { begin, seconds: (end - begin) / 1000 };
}

/** @param {Span} step */
const describe = (step) =>
  `${words(step.name)}: ${stateWords(step.status, "step")}${step.begin === null ? "" : `, ${duration(step.seconds)}`}`;

/** One line: each step as wide as it was long. @param {Stepped} run */
export function strip(run) {
  const steps = spans(run);
  if (steps.length === 0) return h("span", { class: "quiet small" }, "no step yet");
  const shortest = (runTime(run)?.seconds ?? 1) / 40;
  return h(
    "div",
    { class: "gantt-strip", role: "img", "aria-label": `Steps: ${steps.map(describe).join("; ")}` },
    steps.map((step) =>
      h("span", {
        "data-tone": tone(step.status, "step"),
        title: describe(step),
        vars: { "--long": Math.max(shortest, step.seconds ?? 0).toFixed(3) },
      }),
    ),
  );
}

/** Rows of bars over a common scale. @param {Stepped} run */
export function gantt(run) {
  const time = runTime(run);
  if (!time) return h("p", { class: "quiet" }, "No step has started yet; Azure ML is finding a machine.");
  const whole = Math.max(time.seconds, 1);
  const scale = [clock(iso(time.begin)), `+${duration(whole / 2)}`, `+${duration(whole)}`];
  return h(
    "div",
    { class: "gantt" },
    spans(run).map((step) => ganttRow(step, time.begin, whole)),
    h(
      "div",
      { class: "gantt-scale", "aria-hidden": "true" },
      h(
        "div",
        {},
        scale.map((mark) => h("span", {}, mark)),
      ),
    ),
  );
}

/** @param {Span} step @param {number} begin @param {number} whole seconds */
function ganttRow(step, begin, whole) {
  const share = (/** @type {number} */ milliseconds) => (milliseconds / 1000 / whole).toFixed(4);
  const bar =
    step.begin !== null &&
    h("span", {
      class: "gantt-bar",
      "data-tone": tone(step.status, "step"),
      vars: { "--from": share(step.begin - begin), "--long": share(step.end - step.begin) },
    });
  return h(
    "div",
    { class: "gantt-row", title: describe(step) },
    h("span", {}, words(step.name)),
    h("div", { class: "gantt-lane", role: "img", "aria-label": describe(step) }, bar),
    h("span", { class: "long number" }, step.begin === null ? "–" : duration(step.seconds)),
  );
}
