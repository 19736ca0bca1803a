/** Requests to the API: addresses, conditional GET, Retry-After, problems as errors. */

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { address, API_VERSION, request, idempotencyKey, Problem, Unreachable } from "../../web/public/js/api.js";
import { fakeServer, json, unchanged } from "./server.js";

let asked;

beforeEach(() => {
  asked = fakeServer();
});

const URL_ = address("status");

/** What comes of one question that is answered so. */
async function told(answer, options) {
  const asking = request(URL_, options);
  asked.at(-1).answer(answer);
  return asking;
}

describe("an address", () => {
  it("quotes each part of the path, and names the version", () => {
    const url = address("lineage/{key}", { key: "incoming/a b?.csv" });
    assert.match(url.href, /\/api\/lineage\/incoming\/a%20b%3F\.csv\?api-version=/);
    assert.equal(url.searchParams.get("api-version"), API_VERSION);
  });

  it("has in its query what its path has no place for", () => {
    const url = address("quarantine/{name}/retry", { name: "{upload}.csv", upload: "upload/a.csv/0x1" });
    assert.match(url.pathname, /\/api\/quarantine\/%7Bupload%7D\.csv\/retry$/);
    assert.deepEqual([...url.searchParams], [["upload", "upload/a.csv/0x1"], ["api-version", API_VERSION]]);
  });

  it("leaves out what is not asked for; 0 is", () => {
    const query = address("runs", { state: "failed", dataset: null, after: "", since: undefined, wait: 0 }).searchParams;
    assert.deepEqual([...query.keys()], ["state", "wait", "api-version"]);
  });
});

describe("a question", () => {
  it("carries what the app wants of a page, and the ETag that is known", async () => {
    await told(json({}), { etag: '"1"' });
    const { headers, cache, credentials, method, body } = asked[0].options;
    assert.deepEqual(headers, { Accept: "application/json", "x-requested-with": "campanha", "If-None-Match": '"1"' });
    assert.deepEqual([cache, credentials, method, body], ["no-store", "same-origin", "GET", null]);
  });

  it("sends JSON, or a file as it is", async () => {
    await told(json({}), { method: "POST", body: { reason: "why" } });
    assert.equal(asked[0].options.headers["Content-Type"], "application/json");
    assert.equal(asked[0].options.body, '{"reason":"why"}');
    const file = new Blob(["age\n30\n"]);
    await told(json({}), { method: "POST", body: file, headers: { "Content-Type": "text/csv" } });
    assert.equal(asked[1].options.body, file);
    assert.equal(asked[1].options.headers["Content-Type"], "text/csv");
  });
});

describe("an answer", () => {
  it("comes with its ETag, its pause and its operation", async () => {
    const headers = { ETag: '"2"', "Retry-After": "3", "Operation-Location": "/api/operations/7" };
    assert.deepEqual(await told(json({ a: 1 }, headers, 202)), {
      changed: true, etag: '"2"', value: { a: 1 }, retryAfter: 3, operation: "/api/operations/7", status: 202,
    }); // prettier-ignore
  });

  it("of 304 keeps what is known", async () => {
    assert.deepEqual(await told(unchanged({ "Retry-After": "5" }), { etag: '"1"' }), {
      changed: false, etag: '"1"', retryAfter: 5,
    }); // prettier-ignore
  });

  it("without a body has no value", async () => {
    assert.equal((await told(new Response(null, { status: 204 }))).value, null);
  });

  it("that says no is a Problem with the app's own sentence and code", async () => {
    const body = { title: "Conflict", detail: "A run is going.", code: "RunGoing", errors: [{ location: "x" }] };
    await assert.rejects(told(json(body, { "Retry-After": "2" }, 409)), (error) => {
      assert(error instanceof Problem);
      assert.equal(error.message, "A run is going.");
      assert.deepEqual([error.status, error.code, error.retryAfter, error.errors], [409, "RunGoing", 2, body.errors]);
      return true;
    });
  });

  it("that is no JSON is told by its status when it says no, and is nobody's when it says yes", async () => {
    const page = (status) => new Response("<html>", { status });
    await assert.rejects(told(page(502)), { message: "The app answered 502.", status: 502, code: "" });
    await assert.rejects(told(page(200)), Unreachable);
  });

  it("that does not come is Unreachable, unless nobody waits for it any more", async () => {
    const asking = request(URL_);
    asked.at(-1).hangUp(new TypeError("fetch failed"));
    await assert.rejects(asking, (error) => error instanceof Unreachable && error.cause.message === "fetch failed");
    const stop = new AbortController();
    const stopped = request(URL_, { signal: stop.signal });
    stop.abort();
    await assert.rejects(stopped, { name: "AbortError" });
  });
});

it("a key of an action is 32 hexadecimal digits and never the same", () => {
  const keys = Array.from({ length: 50 }, idempotencyKey);
  for (const key of keys) assert.match(key, /^[0-9a-f]{32}$/);
  assert.equal(new Set(keys).size, 50);
});
