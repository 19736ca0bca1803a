/** uPlot in the page's colours, made anew when size or colours change; the numbers stand beside it as a table. */

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { h, island } from "../core/dom.js";
import { colour } from "../core/theme.js";

/** @typedef {ReturnType<typeof colours>} Colours */

/**
 * @template T
 * @typedef {(value: T, colours: Colours, width: number) => { options: Omit<uPlot.Options, "width">, data: uPlot.AlignedData }} Drawing
 */

/**
 * A figure of a chart.
 * @template T
 * @param {{ key: string, label: string, high: number, legend?: Page.Child, numbers?: Page.Child }} about
 * @param {T} value whatever options needs; equal JSON draws nothing
 * @param {Drawing<T>} options
 */
export function chart({ key, label, high, legend = null, numbers = null }, value, options) {
  return h(
    "figure",
    { class: "chart", key },
    legend,
    island(
      `${key}-canvas`,
      { class: "chart-canvas", role: "img", "aria-label": label, vars: { "--high": `${high}px` } },
      value,
      (element, first) => start(element, first, options),
    ),
    numbers && h("details", { class: "as-table" }, h("summary", {}, "The numbers as a table"), numbers),
  );
}

/**
 * @template T
 * @param {HTMLElement} element
 * @param {T} first
 * @param {Drawing<T>} options
 * @returns {Page.Running<T>}
 */
function start(element, first, options) {
  let value = first;
  let drawn = "";
  /** @type {uPlot | null} */
  let plot = null;
  const draw = (/** @type {boolean} */ force) => {
    const width = element.clientWidth;
    const wanted = JSON.stringify([value, width]);
    if (width < 40 || (wanted === drawn && !force)) return;
    drawn = wanted;
    plot?.destroy();
    const made = options(value, colours(), width);
    plot = new uPlot(
      { width, padding: [12, 12, 0, 4], legend: { show: false }, ...made.options },
      made.data,
      element,
    );
  };
  const sized = new ResizeObserver(() => draw(false));
  const recoloured = () => draw(true);
  sized.observe(element);
  document.addEventListener("campanha:colours", recoloured);
  draw(true);
  return {
    update(next) {
      value = next;
      draw(false);
    },
    stop() {
      sized.disconnect();
      document.removeEventListener("campanha:colours", recoloured);
      plot?.destroy();
    },
  };
}

/** Those of tokens.css that charts are drawn in. */
function colours() {
  const names = /** @type {const} */ (["ink-3", "line", "accent", "accent-soft", "surface", "bad", "gold"]);
  const found = Object.fromEntries(names.map((name) => [name, colour(`--${name}`)]));
  return /** @type {Record<typeof names[number], string>} */ (found);
}

/**
 * An axis with quiet lines; more: what differs.
 * @param {Colours} colours
 * @param {uPlot.Axis} more
 * @returns {uPlot.Axis}
 */
export function axis(colours, more = {}) {
  return {
    stroke: colours["ink-3"],
    font: '12px "Plex", sans-serif',
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
    gap: 8,
    ...more,
  };
}

/**
 * Shows a text beside the cursor.
 * @param {(place: number) => string[]} say the lines for this point
 */
export function tip(say) {
  const box = h("div", { class: "tip", hidden: true });
  return {
    /** @param {uPlot} plot */
    init(plot) {
      plot.over.append(box);
    },
    /** @param {uPlot} plot */
    setCursor(plot) {
      const { idx, left = -1, top = 0 } = plot.cursor;
      box.hidden = typeof idx !== "number" || left < 0;
      if (typeof idx !== "number" || left < 0) return;
      box.replaceChildren(...say(idx).map((line) => h("div", {}, line)));
      const at = plot.valToPos(plot.data[0][idx], "x");
      const over = at > plot.over.clientWidth / 2;
      box.style.left = `${over ? at - box.offsetWidth - 14 : at + 14}px`;
      box.style.top = `${Math.max(0, Math.min(top - 20, plot.over.clientHeight - box.offsetHeight))}px`;
    },
  };
}
