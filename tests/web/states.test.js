/** What a state means: every state of the table has a tone and words, and what a newer app says is taken as it is. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KINDS, STATUSES } from "../../web/js/core/kinds.js";
import {
  choices, goingStates, isFinal, isGoing, needsPerson, said, stateWords, tone, waitingStates,
} from "../../web/js/core/states.js"; // prettier-ignore

describe("a state of the table", () => {
  const words = Object.entries({ ...STATUSES, ...Object.fromEntries(Object.entries(KINDS).map(([kind, of]) => [kind, of.states])) }); // prettier-ignore
  for (const [kind, states] of words) {
    it(`${kind}: each is coloured, called and said`, () => {
      for (const state of Object.keys(states)) {
        assert.ok(["ok", "run", "warn", "bad", "rest"].includes(tone(state, kind)), state);
        assert.ok(stateWords(state, kind) && said(state, kind), state);
      }
    });
  }

  it("is told apart by its kind", () => {
    assert.deepEqual([tone("refused", "batch"), tone("refused", "model")], ["bad", "rest"]);
    assert.deepEqual([stateWords("retried", "failure"), stateWords("retried", "quarantine")], ["tried again", "checked again"]); // prettier-ignore
  });

  it("goes on, is over, or waits for a person", () => {
    const going = ["started", "running", "accepted", "failed"].map((state) => isGoing({ kind: "run", state }));
    assert.deepEqual(going, [true, true, false, false]);
    assert.deepEqual(goingStates("batch"), ["due", "scoring"]);
    assert.deepEqual([isFinal("Succeeded", "progress"), isFinal("Running", "progress")], [true, false]);
    assert.deepEqual(waitingStates("quarantine"), ["held"]);
    assert.equal(needsPerson({ kind: "failure", state: "retried" }), false);
  });

  it("is a choice of its list, after all of them", () => {
    assert.deepEqual(choices("batch"), [["All", ""], ["Waiting", "due"], ["Held", "held"], ["Scoring", "scoring"], ["Scored", "scored"], ["Duplicate", "duplicate"], ["Replaced", "replaced"], ["Refused", "refused"]]); // prettier-ignore
  });
});

describe("what a newer app says", () => {
  it("rests, and is called as it is", () => {
    assert.deepEqual([tone("laid-by", "batch"), stateWords("laid-by", "batch")], ["rest", "laid by"]);
    assert.equal(isGoing({}), false);
    assert.equal(tone("due", "thing"), "rest");
  });
});
