/** What the parts compute before they draw: shares, spans of steps, places on a scale. */

import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";
import { gantt, runTime, runTitle, strip } from "../../web/js/parts/gantt.js";
import { interval } from "../../web/js/parts/interval.js";
import { progress, share } from "../../web/js/parts/progress.js";
import { spark } from "../../web/js/parts/spark.js";
import { freshDocument } from "./document.js";

const BEGAN = Date.parse("2026-11-24T12:00:00Z");
const at = (seconds) => new Date(BEGAN + 1000 * seconds).toISOString();

beforeEach(() => {
  freshDocument();
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date"], now: BEGAN + 30_000 });
});

/** The elements with this class, in the order of the page. */
const those = (element, name) =>
  ["span", "div", "line", "circle"]
    .flatMap((tag) => element.querySelectorAll(tag))
    .filter((one) => one.getAttribute("class") === name);

describe("a batch's share", () => {
  for (const [name, batch, expected] of [
    ["all, when it is scored", { state: "scored", sizeBytes: 10, scoredBytes: 1 }, 1],
    ["by bytes", { state: "scoring", sizeBytes: 8, scoredBytes: 2, shards: 2, shardsScored: 2 }, 0.25],
    ["never more than all", { state: "scoring", sizeBytes: 8, scoredBytes: 9 }, 1],
    ["by shards", { state: "scoring", shards: 40, shardsScored: 25 }, 0.625],
    ["nothing yet", { state: "due", sizeBytes: 8 }, 0],
    ["not known", { state: "due" }, null],
  ]) {
    it(name, () => assert.equal(share(batch), expected));
  }

  it("is told to screen readers, with the rate and the time left while it goes on", () => {
    const made = progress({ name: "x.csv", state: "scoring", sizeBytes: 8, scoredBytes: 5, rowsPerSecond: 2849.4, etaSeconds: 55 });
    const [track] = those(made, "track");
    assert.equal(track.getAttribute("aria-valuenow"), "63");
    assert.equal(track.firstChild.style.cssText, "--share: 0.6250;");
    assert.deepEqual(made.childNodes[1].childNodes.map((one) => one.textContent), ["63 %", "2,849 rows/s", "about 55 s left"]); // prettier-ignore
  });

  it("is told with rows and size when it is over", () => {
    const made = progress({ name: "x.csv", state: "scored", rows: 1, sizeBytes: 2_000_000 });
    assert.deepEqual(made.childNodes[1].childNodes.map((one) => one.textContent), ["100 %", "1 row", "2.0 MB"]); // prettier-ignore
  });
});

const step = (name, status, started, ended) => ({
  name, status, startedAt: started === null ? null : at(started), endedAt: ended === null ? null : at(ended),
}); // prettier-ignore

describe("a run in time", () => {
  it("a step begins when those before it have ended, whatever the workspace says of when it was made", () => {
    const steps = [step("prepare", "Completed", 0, 10), step("train", "Completed", 1, 25)];
    const made = gantt({ kind: "run", state: "accepted", lastModifiedAt: at(25), steps });
    const bars = those(made, "gantt-bar").map((bar) => bar.style.cssText);
    assert.deepEqual(bars, ["--from: 0.0000; --long: 0.4000;", "--from: 0.4000; --long: 0.6000;"]);
  });

  it("what goes on reaches until now, what has ended until then", () => {
    const steps = [step("prepare", "Running", 0, null)];
    assert.deepEqual(runTime({ kind: "run", state: "running", steps }), { begin: BEGAN, seconds: 30 });
    assert.deepEqual(runTime({ kind: "run", state: "failed", lastModifiedAt: at(12), steps }), { begin: BEGAN, seconds: 12 });
  });

  it("what waits has no bar, and a run of nothing else no time", () => {
    const steps = [step("prepare", "Running", 0, null), step("train", "Queued", 0, null)];
    assert.equal(those(gantt({ kind: "run", state: "running", steps }), "gantt-bar").length, 1);
    assert.equal(runTime({ kind: "run", state: "started", steps: [step("train", "Queued", 0, null)] }), null);
    assert.match(gantt({ kind: "run", state: "started", steps: [] }).textContent, /No step has started yet/);
    assert.equal(strip({ kind: "run", state: "started" }).textContent, "no step yet");
  });

  it("even the shortest step can be seen in the strip", () => {
    const steps = [step("prepare", "Completed", 0, 0), step("train", "Completed", 0, 20)];
    const [prepare, train] = strip({ kind: "run", state: "accepted", lastModifiedAt: at(20), steps }).childNodes;
    assert.deepEqual([prepare.style.cssText, train.style.cssText], ["--long: 0.500;", "--long: 20.000;"]);
  });

  it("says what it does", () => {
    assert.equal(runTitle({ batch: "b-1" }), "Scoring b-1");
    assert.equal(runTitle({ dataset: "bank", version: 7 }), "Training on bank, version 7");
  });
});

describe("an interval", () => {
  const x = (made, name) => Number(those(made, name)[0].getAttribute(name === "mean" ? "cx" : "x1"));

  it("lies around zero, which is in the middle", () => {
    const made = interval({ logLossDifference: -0.01, low: -0.015, high: -0.005 });
    assert.equal(x(made, "zero"), 280);
    assert.ok(x(made, "range") < x(made, "mean") && x(made, "mean") < 280);
    assert.match(made.getAttribute("aria-label"), /−0\.0100, between −0\.0150 and −0\.0050/);
  });

  it("of no width at zero can be drawn", () => {
    assert.equal(x(interval({ logLossDifference: 0, low: 0, high: 0 }), "mean"), 280);
  });
});

describe("a spark", () => {
  const line = (values) => spark(values, "a line").childNodes[1].getAttribute("d");

  it("goes from edge to edge, the least at the bottom", () => {
    assert.equal(line([1, 3, 2]), "M0.0 27.0L50.0 3.0L100.0 15.0");
  });

  it("of equal values is level, and of one value a point in the middle", () => {
    assert.equal(line([5, 5]), "M0.0 15.0L100.0 15.0");
    assert.equal(line([5]), "M50.0 15.0");
  });
});
