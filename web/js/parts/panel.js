/** A panel: its heading, and its body in one of four states: loading, failed, empty, or what there is. */

import { h } from "../core/dom.js";

let ids = 0;

/**
 * title: text; about: a sentence under it; tools: nodes at its right; flush: the body brings its own margins
 */
export function panel({ title, about = null, tools = null, flush = false, name = null }, ...body) {
  const id = name
    ? `panel-${name}`
    : `panel-${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-") || (ids += 1)}`;
  return h(
    "section",
    { class: "panel", "aria-labelledby": id, key: id },
    h(
      "header",
      {},
      h("h2", { id }, title),
      tools && h("div", { class: "tools" }, tools),
      about && h("p", {}, about),
    ),
    h("div", { class: flush ? "panel-body flush" : "panel-body" }, body),
  );
}

/** What to show of a feed: draw(value) once it is there. empty: a node, shown when isEmpty(value). */
export function fromFeed(feed, draw, { empty = null, isEmpty = (value) => value.value?.length === 0 } = {}) {
  if (feed.state === "loading") return loading();
  if (feed.state === "failed") return failed(feed.error);
  return empty && isEmpty(feed.value) ? empty : draw(feed.value);
}

export function loading() {
  return h(
    "div",
    { class: "loading", role: "status" },
    h("span", { class: "visually-hidden" }, "Loading …"),
    h("div", { class: "skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
  );
}

/** Nothing here: why that may be so, and what to do. */
export function nothing(title, ...what) {
  return h("div", { class: "empty" }, h("strong", {}, title), what);
}

const NEXT = {
  403: "It takes a key that may do more. Sign out, and in again with one.",
  404: "It may have been named differently, or be older than what is retained. The lists show what there is.",
  429: "Too many requests; the page tries again by itself.",
};

export function failed(error) {
  const next = NEXT[error.status] ?? "The page goes on trying; if it stays so, the app's log says why.";
  return h(
    "div",
    { class: "failed", role: "alert" },
    h("strong", {}, error.status === 404 ? "Not found" : "This could not be loaded"),
    h("p", {}, error.message),
    h("p", {}, next),
  );
}
