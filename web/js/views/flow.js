/** The flow: the product's table as a picture, with what each step has done and is doing. */

import { h } from "../core/dom.js";
import { compact, number, words } from "../core/format.js";
import { flowPicture } from "../parts/flow.js";
import { head } from "../parts/head.js";
import { panel } from "../parts/panel.js";
import { gridTable } from "../parts/table.js";

export const title = () => "Flow";

/** @param {Page.Shown} shown */
export function draw({ status }) {
  return [
    head({
      title: "Flow",
      lead: "When this happens, do that, which leads to these. Every number is counted as the step is done, once for each fact, however often it is delivered.",
    }),
    h(
      "div",
      { class: "stack" },
      h(
        "ul",
        { class: "legend" },
        [
          ["outside", "from outside: an event or a clock"],
          ["next", "leads to the next step"],
          ["back", "leads to a step elsewhere"],
          ["end", "recorded, an end"],
        ].map(([kind, text]) => h("li", {}, h("span", { class: "chip", "data-kind": kind }, "Fact"), text)),
      ),
      flowPicture(status.flow),
      panel(
        { title: "The same as a table" },
        h("details", { class: "as-table" }, h("summary", {}, "Every row"), asTable(status.flow)),
      ),
    ),
  ];
}

/** @param {Api.FlowRule[]} rules */
function asTable(rules) {
  const columns = [
    { title: "When" },
    { title: "Do" },
    { title: "Leads to", wrap: true },
    { title: "Done", right: true },
    { title: "Open", right: true },
  ];
  const names = (/** @type {string[]} */ facts) => facts.map(words).join(", ");
  return gridTable(
    "The flow",
    columns,
    rules.map((rule) => [
      names(rule.when),
      words(rule.step),
      names(rule.leadsTo),
      h("span", { title: number(rule.doneCount) }, compact(rule.doneCount)),
      number(rule.openCount),
    ]),
  );
}
