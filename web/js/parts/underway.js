/** What is being done at this moment: runs with their steps, batches with their progress. */

import { h } from "../core/dom.js";
import { ago, plural } from "../core/format.js";
import { to } from "../core/router.js";
import { goingCount, isGoing } from "../core/states.js";
import { gantt, runTitle } from "./gantt.js";
import { nothing, panel } from "./panel.js";
import { progress } from "./progress.js";

/** @import { Feed } from "../core/feed.js" */

/** @param {Api.SystemStatus} status @param {Feed<"batches">} batches */
export function underWay(status, batches) {
  const runs = status.runs.filter(isGoing);
  const scoring = (batches.value?.value ?? status.batches)
    .filter(isGoing)
    .sort((a, b) => (a.state < b.state ? 1 : -1));
  const items = [...runs.map(runItem), ...scoring.map(batchItem)];
  const more = goingCount(status, "run") + goingCount(status, "batch") - items.length;
  if (more > 0) items.push(h("li", { key: "more" }, plural(more, "more run or batch", "more runs and batches"), " under way"));
  return panel(
    { title: "Under way", flush: true, name: "under-way" },
    items.length > 0
      ? h("ul", { class: "in-progress" }, items)
      : nothing("Nothing is under way", "A dropped file, a retrain or the scoring clock begins something."),
  );
}

/** @param {Api.Run} run */
function runItem(run) {
  return h(
    "li",
    { key: run.id },
    h(
      "div",
      { class: "top" },
      h("a", { class: "what", href: to("runs", run.id) }, runTitle(run)),
      h("span", { class: "small quiet" }, "started ", ago(run.createdAt)),
    ),
    gantt(run),
  );
}

/** @param {Api.Batch} batch */
function batchItem(batch) {
  return h(
    "li",
    { key: batch.id },
    h(
      "div",
      { class: "top" },
      h(
        "a",
        { class: "what", href: to("batches", batch.id) },
        `${batch.state === "due" ? "Waiting" : "Scoring"}: ${batch.name}`,
      ),
      h(
        "span",
        { class: "small quiet" },
        batch.modelVersion ? `by model ${batch.modelVersion}` : "waits for its turn",
      ),
    ),
    batch.state === "scoring" && progress(batch),
  );
}
