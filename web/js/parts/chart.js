/** uPlot in the page's colours, made anew when size or colours change; the numbers stand beside it as a table. */

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { h, island } from "../core/dom.js";
import { colour } from "../core/theme.js";

/**
 * A figure of a chart.
 * options(value, colours, width) -> {options, data} for uPlot
 * value: whatever options needs; equal JSON draws nothing
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

function start(element, first, options) {
  let value = first;
  let drawn = "";
  let plot = null;
  const draw = (force) => {
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

function colours() {
  const names = [
    "ink",
    "ink-2",
    "ink-3",
    "line",
    "line-strong",
    "accent",
    "accent-soft",
    "surface",
    "bad",
    "gold",
    "ok",
    "warn",
  ];
  return Object.fromEntries(names.map((name) => [name, colour(`--${name}`)]));
}

/** An axis with quiet lines; more: what differs. */
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

/** Shows a text beside the cursor: say(index) -> lines, or null. */
export function tip(say) {
  let box = null;
  return {
    hooks: {
      init: (plot) => {
        box = h("div", { class: "tip", hidden: true });
        plot.over.append(box);
      },
      setCursor: (plot) => {
        const lines = plot.cursor.idx === null || plot.cursor.left < 0 ? null : say(plot.cursor.idx);
        box.hidden = !lines;
        if (!lines) return;
        box.replaceChildren(...lines.map((line) => h("div", {}, line)));
        const left = plot.valToPos(plot.data[0][plot.cursor.idx], "x");
        const over = left > plot.over.clientWidth / 2;
        box.style.left = `${over ? left - box.offsetWidth - 14 : left + 14}px`;
        box.style.top = `${Math.max(0, Math.min(plot.cursor.top - 20, plot.over.clientHeight - box.offsetHeight))}px`;
      },
    },
  };
}
