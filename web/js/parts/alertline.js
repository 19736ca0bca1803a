/** An alert as a line of a list. */

import { h } from "../core/dom.js";
import { ago, number } from "../core/format.js";
import { to } from "../core/router.js";
import { badge } from "./badge.js";

/** @param {Api.AlertValues} alert */
export function alertLine(alert) {
  const many = alert.affectedCount ?? 1;
  return h(
    "li",
    { key: alert.id },
    h(
      "a",
      { class: "what", href: to("alerts", alert.id) },
      alert.title,
      alert.dataset && ` · ${alert.dataset}`,
      many > 1 && ` · ${number(many)}`,
      " ",
      badge(alert.state, "alert"),
    ),
    ago(alert.startedAt ?? alert.createdAt),
    h("p", { class: "why" }, alert.says),
    alert.state === "raised" && alert.mend && h("p", { class: "why" }, h("code", {}, alert.mend)),
  );
}
