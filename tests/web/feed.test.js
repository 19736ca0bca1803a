/** A resource as the page knows it: asked conditionally, once at a time, with what went wrong. */

import assert from "node:assert/strict";
import { beforeEach, it } from "node:test";
import { Feed } from "../../web/js/core/feed.js";
import { address } from "../../web/public/js/api.js";
import { fakeServer, json, unchanged } from "./server.js";

const RUNS = address("runs");
let asked;

beforeEach(() => {
  asked = fakeServer();
});

/** Whether there was news when it was answered so. */
async function refreshed(feed, answer) {
  const asking = feed.refresh();
  if (answer instanceof Error) asked.at(-1).hangUp(answer);
  else asked.at(-1).answer(answer);
  return asking;
}

const problem = (status, detail) => json({ detail }, {}, status);

it("is loading, then ready with its value; the next time only what is new is news", async () => {
  const feed = new Feed(address("runs", { state: "failed" }));
  assert.deepEqual([feed.value, feed.error], [null, null]);
  assert.equal(await refreshed(feed, json({ value: [1] }, { ETag: '"1"' })), true);
  assert.deepEqual(feed.value, { value: [1] });
  assert.equal(asked[0].query.get("state"), "failed");
  assert.equal(await refreshed(feed, unchanged()), false);
  assert.equal(asked[1].options.headers["If-None-Match"], '"1"');
});

it("is asked once though two want it, and again afterwards", async () => {
  const feed = new Feed(RUNS);
  const both = [feed.refresh(), feed.refresh()];
  assert.equal(asked.length, 1);
  asked[0].answer(json({}));
  assert.deepEqual(await Promise.all(both), [true, true]);
  feed.refresh();
  assert.equal(asked.length, 2);
});

it("is not asked while it cannot be there", async () => {
  let there = false;
  const feed = new Feed(RUNS, () => there);
  assert.equal(await feed.refresh(), false);
  assert.equal(asked.length, 0);
  there = true;
  feed.refresh();
  assert.equal(asked.length, 1);
});

it("keeps its value through a failure, which is news once, and so is its end", async () => {
  const feed = new Feed(RUNS);
  await refreshed(feed, json({ value: [] }, { ETag: '"1"' }));
  assert.equal(await refreshed(feed, problem(503, "The ledger does not answer.")), true);
  assert.deepEqual([feed.value, feed.error.message], [{ value: [] }, "The ledger does not answer."]);
  assert.equal(await refreshed(feed, problem(503, "The ledger does not answer.")), false);
  assert.equal(await refreshed(feed, unchanged()), true);
  assert.equal(feed.error, null);
});

it("without a value has failed, and what is gone is forgotten with its ETag", async () => {
  const feed = new Feed(address("runs/{run}", { run: "x" }));
  await refreshed(feed, json({ id: "x" }, { ETag: '"1"' }));
  await refreshed(feed, problem(404, "There is no run x."));
  assert.deepEqual([feed.value, feed.error.message], [null, "There is no run x."]);
  feed.refresh();
  assert.equal("If-None-Match" in asked.at(-1).options.headers, false);
});

it("nobody waits for any more is no failure", async () => {
  const feed = new Feed(RUNS);
  const stop = new AbortController();
  const asking = feed.refresh(stop.signal);
  stop.abort();
  assert.equal(await asking, false);
  assert.deepEqual([feed.value, feed.error], [null, null]);
});
