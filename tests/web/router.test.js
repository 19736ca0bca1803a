/** Addresses after the #: read and written, with names of any characters. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { route, to, toQuarantined, toRecord, uploadName } from "../../web/js/core/router.js";
import { withdraw } from "../../web/js/parts/operator.js";

const parsed = (hash) => {
  const { view, parts, query } = route(hash);
  return [view, parts, Object.fromEntries(query)];
};

describe("an address is read", () => {
  for (const [hash, view, parts, query] of [
    ["", "now", [], {}],
    ["#", "now", [], {}],
    ["#/", "now", [], {}],
    ["#/models/bank/7?metric=auc", "models", ["bank", "7"], { metric: "auc" }],
    ["#/trace/incoming%2Fa%20b.csv", "trace", ["incoming/a b.csv"], {}],
    ["#/files//?state=held&after=x", "files", [], { state: "held", after: "x" }],
    ["#/trace/100%", "trace", ["100%"], {}],
  ]) {
    it(hash || "of nothing", () => assert.deepEqual(parsed(hash), [view, parts, query]));
  }
});

describe("an address is written", () => {
  it("without the choices that are not made", () => {
    assert.equal(to("runs", { state: "failed", after: "", since: undefined }), "#/runs?state=failed");
    assert.equal(to("runs"), "#/runs");
    assert.equal(to("models", "bank", 7), "#/models/bank/7");
  });

  for (const name of ["a/b.csv", "50 %.csv", "x?y#z&.csv", "ÄÖ 表.csv"]) {
    it(`and read again: ${name}`, () => {
      assert.deepEqual(parsed(to("trace", name, { of: name })), ["trace", [name], { of: name }]);
    });
  }

  it("of a file in quarantine with the upload that is meant", () => {
    const [view, parts, query] = parsed(toQuarantined("2026/may.csv", "upload/2026/may.csv/0x1"));
    assert.deepEqual([view, parts, query], ["quarantine", ["2026", "may.csv"], { upload: "upload/2026/may.csv/0x1" }]);
  });
});

describe("each kind of record has its place", () => {
  for (const [kind, id, address] of [
    ["model", "bank:7", "#/models/bank/7"],
    ["dataset", "bank:7", "#/datasets/bank/7"],
    ["run", "run-1", "#/runs/run-1"],
    ["batch", "b-1", "#/batches/b-1"],
    ["deployment", "e/model-7", "#/endpoint"],
    ["something new", "x", "#/events"],
  ]) {
    it(kind, () => assert.equal(toRecord(kind, id), address));
  }
});

describe("the name in an upload's id", () => {
  for (const [id, name] of [
    ["upload/may.csv/0x8", "may.csv"],
    ["upload/2026/may.csv/0x8", "2026/may.csv"],
    ["upload-2/may.csv/0x8", "may.csv"],
    ["readmitted/upload/may.csv/0x8", "may.csv"],
    ["readmitted/readmitted/upload-2/upload/may.csv/0x8", "upload/may.csv"],
    ["bank:7", ""],
  ]) {
    it(id, () => assert.equal(uploadName(id), name));
  }

  it("is that of the file which is withdrawn with the rows that were readmitted from it", () => {
    const { label, to: sendTo } = withdraw("readmitted/upload/may.csv/0x8");
    assert.equal(label, "Withdraw may.csv");
    assert.match(sendTo(null).href, /\/uploads\/may\.csv\/withdraw\?upload=readmitted%2Fupload%2Fmay\.csv%2F0x8&/);
  });
});
