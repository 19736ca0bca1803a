/** Elements from data, and morph: text stays text, what can stay stays, islands live as long as their key. */

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { h, icon, island, s, show } from "../../web/js/core/dom.js";
import { freshDocument, markup } from "./document.js";

let page;

beforeEach(() => {
  freshDocument();
  page = document.createElement("main");
});

describe("an element", () => {
  it("has the attributes that are given, and none for null, undefined and false", () => {
    const made = h("input", { type: "text", required: true, id: null, name: undefined, hidden: false, maxlength: 3 });
    assert.equal(markup(made), '<input type="text" required="" maxlength="3"></input>');
  });

  it("takes markup for text", () => {
    const evil = "<img src=x onerror=alert(1)>";
    const made = h("p", { title: evil }, evil);
    assert.equal(made.childNodes.length, 1);
    assert.equal(made.firstChild.nodeType, Node.TEXT_NODE);
    assert.equal(made.getAttribute("title"), evil);
  });

  it("holds children of any depth, and leaves out what is nothing; 0 is something", () => {
    const made = h("p", {}, "a", [h("b", {}, "b"), ["c", [null, false, "", undefined]]], 0);
    assert.equal(markup(made), "<p>a<b>b</b>c0</p>");
  });

  it("takes style by the CSSOM only, which the page's policy lets pass", () => {
    const made = h("div", { vars: { "--share": 0.5 } });
    assert.equal(made.style.cssText, "--share: 0.5;");
    assert.equal(made.hasAttribute("style"), false);
  });

  it("of SVG is in its namespace", () => {
    assert.equal(s("path", { d: "M0 0" }).namespaceURI, "http://www.w3.org/2000/svg");
    assert.match(markup(icon("search")), /^<svg class="icon" aria-hidden="true".*<use href="#i-search"><\/use><\/svg>$/);
  });

  it("hears its listeners, with itself as this", () => {
    const heard = [];
    const made = h("button", { on: { click(event) { heard.push([this, event.detail]); } } }); // prettier-ignore
    made.dispatchEvent({ type: "click", detail: 7 });
    assert.deepEqual(heard, [[made, 7]]);
  });
});

describe("show", () => {
  it("keeps the elements that can stay, and what only the viewer changes", () => {
    show(page, h("details", {}, h("summary", {}, "before")), h("p", {}, "x"));
    const [details, p] = page.childNodes;
    details.setAttribute("open", "");
    show(page, h("details", { class: "new" }, h("summary", {}, "after")), h("p", {}, "x"));
    assert.equal(page.childNodes[0], details);
    assert.equal(page.childNodes[1], p);
    assert.equal(markup(details), '<details open="" class="new"><summary>after</summary></details>');
  });

  it("takes away attributes, styles and nodes that are no longer wanted", () => {
    show(page, h("p", { class: "a", title: "b", vars: { "--x": 1 } }, "text", h("b", {})), h("hr", {}));
    show(page, h("p", { class: "c" }, "text"));
    assert.equal(markup(page), '<main><p class="c">text</p></main>');
    assert.equal(page.firstChild.style.cssText, "");
  });

  it("changes a text in place, and only when it is another", () => {
    show(page, h("p", {}, "one"));
    const text = page.firstChild.firstChild;
    let writes = 0;
    let data = text.data;
    Object.defineProperty(text, "data", { get: () => data, set: (to) => { data = to; writes += 1; } }); // prettier-ignore
    show(page, h("p", {}, "one"));
    assert.equal(writes, 0);
    show(page, h("p", {}, "two"));
    assert.equal(page.firstChild.firstChild, text);
    assert.equal(data, "two");
  });

  it("puts another element in the place of one of another tag", () => {
    show(page, h("p", {}, "x"));
    show(page, h("ul", {}, "x"));
    assert.equal(markup(page), "<main><ul>x</ul></main>");
  });

  const rows = (...keys) => keys.map((key) => h("li", { key }, key));

  for (const [name, before, after] of [
    ["a new first row", ["b", "c"], ["a", "b", "c"]],
    ["a row that is gone", ["a", "b", "c"], ["a", "c"]],
    ["rows in another order", ["a", "b", "c", "d"], ["d", "b", "a", "c"]],
    ["all other rows", ["a", "b"], ["c", "d"]],
    ["no row", ["a", "b"], []],
  ]) {
    it(`moves rows by their key: ${name}`, () => {
      show(page, rows(...before));
      const known = new Map(page.childNodes.map((row) => [row.$key, row]));
      show(page, rows(...after));
      assert.deepEqual(page.childNodes.map((row) => row.textContent), after); // prettier-ignore
      for (const row of page.childNodes) if (known.has(row.$key)) assert.equal(row, known.get(row.$key));
    });
  }

  it("hands the new listeners to the old element, each heard once", () => {
    const heard = [];
    show(page, h("button", { on: { click: () => heard.push("old") } }));
    const button = page.firstChild;
    show(page, h("button", { on: { click: () => heard.push("new"), focus: () => heard.push("focus") } }));
    assert.equal(page.firstChild, button);
    button.dispatchEvent({ type: "click" });
    button.dispatchEvent({ type: "focus" });
    assert.deepEqual(heard, ["new", "focus"]);
    show(page, h("button", {}));
    button.dispatchEvent({ type: "click" });
    assert.deepEqual(heard, ["new", "focus"]);
  });
});

describe("an island", () => {
  const told = [];
  const chart = (key, value) =>
    island(key, { class: "chart" }, value, (element, first) => {
      told.push(["start", key, first]);
      return { update: (next) => told.push(["update", key, next]), stop: () => told.push(["stop", key]) };
    });

  beforeEach(() => told.splice(0));

  it("is started once, told of new values, and stopped when it goes", () => {
    show(page, h("section", {}, chart("a", 1)));
    const element = page.firstChild.firstChild;
    element.append(document.createElement("canvas"));
    show(page, h("section", {}, chart("a", 2)));
    assert.equal(page.firstChild.firstChild, element);
    assert.equal(markup(element), '<div class="chart"><canvas></canvas></div>');
    show(page, h("p", {}));
    assert.deepEqual(told, [["start", "a", 1], ["update", "a", 2], ["stop", "a"]]); // prettier-ignore
  });

  it("of another key is another one", () => {
    show(page, chart("a", 1));
    show(page, chart("b", 2));
    assert.deepEqual(told.map(([what, key]) => `${what} ${key}`), ["start a", "stop a", "start b"]); // prettier-ignore
  });
});
