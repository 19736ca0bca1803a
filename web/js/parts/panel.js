/** A panel: its heading, and its body in one of four states: loading, failed, empty, or what there is. */

import { h } from "../core/dom.js";

let ids = 0;

/** @import { Feed } from "../core/feed.js" */

/**
 * @param {object} of
 * @param {string} of.title
 * @param {Page.Child} [of.about] a sentence under it
 * @param {Page.Child} [of.tools] nodes at its right
 * @param {boolean} [of.flush] the body brings its own margins
 * @param {string | null} [of.name]
 * @param {Page.Child[]} body
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

/**
 * What to show of a feed. Of a filtered list the app looks through a part for each page: one may hold nothing, and still
 * lead to older ones.
 * @template {Api.Path} P
 * @param {Feed<P>} feed
 * @param {(value: Api.Answer<P>) => Page.Child} draw once it is there
 * @param {Page.Child} [empty] shown instead of a list of which no page has items
 */
export function fromFeed({ url, value, error }, draw, empty = null) {
  if (value !== null) return empty && isEmpty(value) && !url.searchParams.has("after") ? empty : draw(value);
  return error ? failed(error) : loading();
}

/** Whether a list's first page is its last, and has no items. @param {object} value */
const isEmpty = (value) =>
  "value" in value && Array.isArray(value.value) && value.value.length === 0 && !("nextLink" in value);

export function loading() {
  return h(
    "div",
    { class: "loading", role: "status" },
    h("span", { class: "visually-hidden" }, "Loading …"),
    h("div", { class: "skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
  );
}

/** Nothing here: why that may be so, and what to do. @param {string} title @param {Page.Child[]} what */
export function nothing(title, ...what) {
  return h("div", { class: "empty" }, h("strong", {}, title), what);
}

/** @type {Record<number, string>} */
const NEXT = {
  403: "It takes a key that may do more. Sign out, and in again with one.",
  404: "It may have been named differently, or be older than what is retained. The lists show what there is.",
  429: "Too many requests; the page tries again by itself.",
};

/** @param {Page.Trouble} error */
export function failed(error) {
  const next = NEXT[error.status ?? 0] ?? "The page goes on trying; if it stays so, the app's log says why.";
  return h(
    "div",
    { class: "failed", role: "alert" },
    h("strong", {}, error.status === 404 ? "Not found" : "This could not be loaded"),
    h("p", {}, error.message),
    h("p", {}, next),
  );
}
