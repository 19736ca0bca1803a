/** The top of a view: where it is, what it is called, what can be done. */

import { h } from "../core/dom.js";

/**
 * @param {object} about
 * @param {string} about.title
 * @param {[text: string, href: string][]} [about.crumbs]
 * @param {Page.Child} [about.lead]
 * @param {Page.Child} [about.tools] buttons
 * @param {Page.Child} [about.mark]
 */
export function head({ title, crumbs = [], lead = null, tools = null, mark = null }) {
  return h(
    "div",
    { class: "view-head" },
    h(
      "div",
      {},
      crumbs.length > 0 &&
        h(
          "nav",
          { "aria-label": "Where this is" },
          h(
            "ol",
            { class: "crumbs" },
            crumbs.map(([text, href]) => h("li", {}, h("a", { href }, text))),
          ),
        ),
      h("h1", { tabindex: "-1" }, title, mark && [" ", mark]),
      lead && h("p", { class: "lead" }, lead),
    ),
    tools && h("div", { class: "tools" }, tools),
  );
}

/**
 * Choices that lead to addresses.
 * @param {string} label
 * @param {[text: string, href: string, here: boolean][]} choices
 */
export function segments(label, choices) {
  return h(
    "nav",
    { class: "segmented", "aria-label": label },
    choices.map(([text, href, here]) => h("a", { href, "aria-current": here ? "true" : null }, text)),
  );
}
