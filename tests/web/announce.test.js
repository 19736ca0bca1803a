/** Sentences for screen readers, and notes that go away by themselves. */

import assert from "node:assert/strict";
import { beforeEach, it, mock } from "node:test";
import { note, say } from "../../web/js/core/announce.js";
import { freshDocument, markup } from "./document.js";

let toasts;

beforeEach(() => {
  freshDocument();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  toasts = document.createElement("div");
  document.byId.set("toasts", toasts);
});

it("the same sentence twice is said once", () => {
  const place = document.createElement("p");
  document.byId.set("said", place);
  say("A run has begun.");
  const text = place.firstChild;
  say("A run has begun.");
  assert.equal(place.firstChild, text);
  say("It is over.");
  assert.equal(place.textContent, "It is over.");
});

it("a page without the place for it stays silent", () => assert.doesNotThrow(() => say("Nobody hears.")));

it("a note goes after seven seconds, a bad one after fourteen", () => {
  note("Done.");
  note("It failed.", { tone: "bad" });
  assert.equal(toasts.childNodes.length, 2);
  mock.timers.tick(7000);
  assert.equal(toasts.textContent, "It failed.");
  mock.timers.tick(7000);
  assert.equal(toasts.childNodes.length, 0);
});

it("a note may lead somewhere, and its sentence stays text", () => {
  note("<b>x</b>.", { link: { href: "#/events", text: "Events" } });
  const [toast] = toasts.childNodes;
  assert.equal(toast.firstChild.nodeType, Node.TEXT_NODE);
  assert.match(markup(toast), /<a href="#\/events">Events<\/a>/);
});
