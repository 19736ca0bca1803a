/**
 * The flow as a picture: the rules of the table as boxes in lanes, the facts between them as wires.
 *
 * Drawn from /api/status alone. A rule that waits for a fact of the rule before it stands to its right; any other
 * begins a lane. Wires are measured after layout; on a narrow page the lanes run downwards and chips say the rest.
 */

import { h, island, s } from "../core/dom.js";
import { compact, number, plural, words } from "../core/format.js";

/** @typedef {Api.FlowRule[] & { alone?: boolean }} Lane */
/** @typedef {{ from: string, to: string, facts: string[] }} Wire */

/** @param {Api.FlowRule[]} rules */
export function lanes(rules) {
  /** @type {Api.FlowRule[][]} */
  const found = [];
  for (const rule of rules) {
    const lane = found.at(-1);
    const before = lane?.at(-1);
    if (lane && before && lane.length < 5 && rule.when.some((fact) => before.leadsTo.includes(fact)))
      lane.push(rule);
    else found.push([rule]);
  }
  return found.reduce(joined, /** @type {Lane[]} */ ([]));
}

/** Rules that stand alone, one after the other, share a row. @param {Lane[]} rows @param {Api.FlowRule[]} lane */
function joined(rows, lane) {
  const before = rows.at(-1);
  if (lane.length === 1 && before?.alone && before.length < 4) before.push(lane[0]);
  else rows.push(Object.assign([...lane], { alone: lane.length === 1 }));
  return rows;
}

/** Facts by which one rule leads to another, without those to itself. @param {Api.FlowRule[]} rules */
export function wires(rules) {
  /** @type {Wire[]} */
  const found = [];
  for (const from of rules) {
    for (const to of rules) {
      const facts = from.leadsTo.filter((fact) => to.when.includes(fact));
      if (facts.length && from !== to) found.push({ from: from.step, to: to.step, facts });
    }
  }
  return found;
}

/** Facts no rule at or above the one that waits leads to: they come from an event or a clock. @param {Api.FlowRule[]} rules */
function fromOutside(rules) {
  /** @type {Set<string>} */
  const found = new Set();
  rules.forEach((rule, place) => {
    const led = new Set(rules.slice(0, place + 1).flatMap((before) => before.leadsTo));
    for (const fact of rule.when) if (!led.has(fact)) found.add(fact);
  });
  return found;
}

/** @param {Api.FlowRule[]} rules */
export function flowPicture(rules) {
  const rows = lanes(rules);
  const widest = Math.max(...rows.map((lane) => lane.length));
  const outside = fromOutside(rules);
  const awaited = new Map(rules.flatMap((rule) => rule.when.map((fact) => /** @type {const} */ ([fact, rule.step]))));
  const drawn = rows.map((lane) =>
    h(
      "ol",
      {
        class: "flow-lane",
        "data-alone": lane.length === 1,
        vars: { "--nodes": widest },
        "aria-label": `From ${words(lane[0].step)} on`,
      },
      lane.map((rule) => h("li", { key: rule.step }, node(rule, outside, awaited, lane))),
    ),
  );
  return h(
    "div",
    { class: "flow" },
    island(
      "flow-wires",
      { class: "flow-wires-place" },
      wires(rules).map((wire) => ({ ...wire, warm: rules.some((rule) => rule.step === wire.from && rule.openCount > 0) })),
      startWires,
    ),
    drawn,
  );
}

/**
 * @param {Api.FlowRule} rule
 * @param {Set<string>} fromThere
 * @param {Map<string, string>} awaited by which step each fact is
 * @param {Api.FlowRule[]} lane
 */
function node(rule, fromThere, awaited, lane) {
  const outside = rule.when.filter((fact) => fromThere.has(fact));
  const next = lane[lane.indexOf(rule) + 1];
  const ends = rule.leadsTo.filter((fact) => !awaited.has(fact));
  const onward = rule.leadsTo.filter((fact) => next && awaited.get(fact) === next.step);
  const away = rule.leadsTo.filter((fact) => awaited.has(fact) && awaited.get(fact) !== next?.step);
  return h(
    "article",
    {
      class: "flow-node",
      id: `step-${rule.step}`,
      "data-open": rule.openCount > 0,
      "aria-label": `${words(rule.step)}: done ${number(rule.doneCount)} times, ${rule.openCount} open`,
    },
    outside.length > 0 &&
      h(
        "div",
        { class: "flow-in" },
        outside.map((fact) =>
          h(
            "span",
            { class: "chip", "data-kind": "outside", title: `${fact}: from outside, an event or a clock` },
            words(fact),
          ),
        ),
      ),
    h("span", { class: "title" }, words(rule.step)),
    h(
      "span",
      { class: "counts" },
      h("b", { title: number(rule.doneCount) }, compact(rule.doneCount)),
      rule.openCount > 0
        ? h("span", { class: "badge", "data-tone": "run" }, plural(rule.openCount, "open", "open"))
        : "done",
    ),
    h("p", { class: "about" }, rule.description),
    h(
      "div",
      { class: "flow-ends" },
      onward.map((fact) =>
        h(
          "span",
          { class: "chip", "data-kind": "next", title: `${fact}: then ${words(next.step)}` },
          words(fact),
        ),
      ),
      away.map((fact) =>
        h(
          "span",
          { class: "chip", "data-kind": "back", title: `${fact}: then ${words(awaited.get(fact) ?? "")}` },
          words(fact),
        ),
      ),
      ends.map((fact) =>
        h(
          "span",
          { class: "chip", "data-kind": "end", title: `${fact}: recorded; nothing follows` },
          words(fact),
        ),
      ),
    ),
  );
}

// --- wires ---------------------------------------------------------------------------------------------------

/** @typedef {Wire & { warm: boolean }} DrawnWire */

/** @type {Page.Island<DrawnWire[]>["start"]} */
function startWires(place, first) {
  const flow = /** @type {HTMLElement} */ (place.parentElement);
  let value = first;
  const draw = () => place.replaceChildren(drawWires(flow, value));
  const sized = new ResizeObserver(draw);
  sized.observe(flow);
  return {
    update(next) {
      value = next;
      draw();
    },
    stop() {
      sized.disconnect();
    },
  };
}

/** @param {HTMLElement} flow @param {DrawnWire[]} value */
function drawWires(flow, value) {
  const frame = flow.getBoundingClientRect();
  const picture = s("svg", { class: "flow-wires", "aria-hidden": "true" });
  for (const wire of value) {
    const from = document.getElementById(`step-${wire.from}`)?.getBoundingClientRect();
    const to = document.getElementById(`step-${wire.to}`)?.getBoundingClientRect();
    if (from && to) picture.append(drawWire(wire, from, to, frame));
  }
  return picture;
}

/** @param {DrawnWire} wire @param {DOMRect} from @param {DOMRect} to @param {DOMRect} frame */
function drawWire(wire, from, to, frame) {
  const beside = Math.abs(from.top - to.top) < 60 && to.left > from.right;
  const near = beside && to.left - from.right < 90;
  if (!near) return s("g");
  const y = from.top - frame.top + 44;
  const start = from.right - frame.left;
  const end = to.left - frame.left - 2;
  return s(
    "g",
    { "data-warm": wire.warm || null },
    s("path", { d: `M${start} ${y}H${end - 7}` }),
    s("path", { class: "head", d: `M${end - 8} ${y - 4.5}L${end} ${y}L${end - 8} ${y + 4.5}Z` }),
  );
}
