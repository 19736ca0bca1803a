/** A run's steps in time: a strip for lists, bars with a scale for the run's own page. */

import { h } from "../core/dom.js";
import { clock, duration, now, seconds, words } from "../core/format.js";
import { stateWords, tone } from "./badge.js";

const iso = (milliseconds) => new Date(milliseconds).toISOString();

/** Seconds a step has taken so far; null before it started. */
function taken(step) {
  return step.started ? seconds(step.started, step.ended ?? iso(now())) : null;
}

/** From the first step's start to the last one's end, or to now. */
export function runTime(run) {
  const steps = (run.steps ?? []).filter((step) => step.started);
  if (steps.length === 0) return null;
  const begin = Math.min(...steps.map((step) => Date.parse(step.started)));
  const going = steps.some((step) => !step.ended) && !isOver(run);
  const end = going ? now() : Math.max(...steps.map((step) => Date.parse(step.ended ?? run.updated)));
  return { begin, end, going, seconds: (end - begin) / 1000 };
}

export const isOver = (run) => !["started", "running"].includes(run.state);

const describe = (step) =>
  `${words(step.name)}: ${stateWords(step.status)}${step.started ? `, ${duration(taken(step))}` : ""}`;

/** One line: each step as wide as it was long. */
export function strip(run) {
  const steps = run.steps ?? [];
  if (steps.length === 0) return h("span", { class: "quiet small" }, "no step yet");
  const label = `Steps: ${steps.map(describe).join("; ")}`;
  return h(
    "div",
    { class: "gantt-strip", role: "img", "aria-label": label },
    steps.map((step) =>
      h("span", {
        "data-tone": tone(step.status, "step"),
        title: describe(step),
        vars: { "--long": Math.max(0.6, taken(step) ?? 0.6).toFixed(2) },
      }),
    ),
  );
}

/** Rows of bars over a common scale. */
export function gantt(run) {
  const time = runTime(run);
  if (!time) return h("p", { class: "quiet" }, "No step has started yet; Azure ML is finding a machine.");
  const whole = Math.max(time.seconds, 1);
  return h(
    "div",
    { class: "gantt" },
    run.steps.map((step) => ganttRow(step, time.begin, whole)),
    h(
      "div",
      { class: "gantt-scale", "aria-hidden": "true" },
      h(
        "div",
        {},
        h("span", {}, clock(iso(time.begin))),
        h("span", {}, `+${duration(whole / 2)}`),
        h("span", {}, `+${duration(whole)}`),
      ),
    ),
  );
}

function ganttRow(step, begin, whole) {
  const long = taken(step);
  const from = long === null ? 0 : (Date.parse(step.started) - begin) / 1000 / whole;
  const bar =
    long !== null &&
    h("span", {
      class: "gantt-bar",
      "data-tone": tone(step.status, "step"),
      vars: { "--from": from.toFixed(4), "--long": (long / whole).toFixed(4) },
    });
  return h(
    "div",
    { class: "gantt-row", title: describe(step) },
    h("span", {}, words(step.name)),
    h("div", { class: "gantt-lane", role: "img", "aria-label": describe(step) }, bar),
    h("span", { class: "long number" }, long === null ? "–" : duration(long)),
  );
}
