/** What became of a file, link by link: beads on a rail. */

import { h, icon } from "../core/dom.js";
import { recordTone } from "../core/states.js";
import { recordBadge } from "./badge.js";

/** @param {Page.Link[]} links */
export function chain(links) {
  return h(
    "ol",
    { class: "chain" },
    links.map((link) =>
      h(
        "li",
        { "data-future": !link.record, key: `${link.kind} ${link.title}` },
        h(
          "div",
          { class: "rail", "aria-hidden": "true" },
          h(
            "span",
            { class: "bead", "data-tone": link.record && recordTone(link.record) },
            icon(link.icon),
          ),
          h("span", { class: "wire" }),
        ),
        h(
          "div",
          { class: "link" },
          h(
            "div",
            { class: "link-head" },
            h("span", { class: "kind" }, link.kind),
            link.title &&
              h("span", { class: "what" }, link.href ? h("a", { href: link.href }, link.title) : link.title),
            link.record && recordBadge(link.record),
          ),
          link.text,
        ),
      ),
    ),
  );
}
