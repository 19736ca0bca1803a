/**
 * The model's quality over time: each version, what became of it, and the model that served then.
 *
 * Hold-outs grow from version to version, so two versions' figures are not of the same rows. What was compared on the
 * same rows stands in one column: the version, and the serving model of that time, joined by a line.
 */

import { h, s } from "../core/dom.js";
import { ago, day, number } from "../core/format.js";
import { stateWords } from "../core/states.js";
import { axis, chart, tip } from "./chart.js";
import { better, METRICS } from "./metrics.js";
import { gridTable } from "./table.js";

/** @typedef {ReturnType<typeof point>} Point */
/** @typedef {keyof typeof SHAPES} Mark */
/** @typedef {import("./chart.js").Colours} Colours */
/** @typedef {import("./metrics.js").Metric} Metric */
/** @typedef {import("./metrics.js").MetricName} MetricName */

/** How each mark is drawn in a legend of 16 by 16; what is in none of these states was not decided, or not yet: `other`. */
const SHAPES = {
  released: () => s("circle", { cx: 8, cy: 8, r: 5 }),
  previous: () => s("circle", { cx: 8, cy: 8, r: 5 }),
  refused: () => s("path", { d: "M4 4l8 8M12 4l-8 8" }),
  "rolled-back": () => s("path", { d: "M8 2.500l5.500 5.500L8 13.500 2.500 8z" }),
  other: () => s("path", { d: "M3.500 3.500h9v9h-9z" }),
  serving: () => s("path", { d: "M3 8h10" }),
};

/** The states of models that answer, or have answered. @type {Mark[]} */
const SERVED = ["released", "previous"];

/** @param {Api.ModelVersion[]} models in any order @param {MetricName} metric */
export function quality(models, metric) {
  const points = [...models]
    .sort((a, b) => a.version - b.version)
    .flatMap((model) => {
      const value = METRICS[metric].of(model.metrics, model.baseline);
      return value === undefined ? [] : [point(model, value, METRICS[metric])];
    });
  const { title, text } = METRICS[metric];
  const label = `${title} of ${points.length} model versions, ${better(METRICS[metric])}. ${points.map((p) => `Version ${p.version}, ${stateWords(p.state, "model")}: ${text(p.value)}`).join(". ")}.`;
  return chart(
    {
      key: `quality-${metric}`,
      label,
      high: 320,
      legend: legend(points),
      numbers: numbers(points, METRICS[metric]),
    },
    { points, metric },
    options,
  );
}

/** @param {Api.ModelVersion} model @param {number} value @param {Metric} metric */
function point(model, value, metric) {
  const { championMetrics: champion, baseline } = model;
  return {
    version: model.version,
    state: model.state,
    mark: model.state in SHAPES ? /** @type {Mark} */ (model.state) : "other",
    time: model.createdAt,
    reason: model.reason,
    value,
    champion: metric.of(champion, baseline) ?? null,
    baseline: baselineOf(metric, baseline),
  };
}

/** What the base rate alone would have, where that says something. @param {Metric} metric @param {Api.BaselineMetrics} [baseline] */
function baselineOf(metric, baseline) {
  if (metric === METRICS.gain) return 0;
  return metric === METRICS.logLoss ? (baseline?.logLoss ?? null) : null;
}

/** @param {Point[]} points */
function legend(points) {
  const there = new Set(points.map((p) => p.mark));
  if (points.some((p) => p.champion !== null)) there.add("serving");
  const items = /** @type {Mark[]} */ (Object.keys(SHAPES))
    .filter((mark) => there.has(mark))
    .map((mark) => h("li", {}, markShape(mark), markWords(mark, points)));
  if (points.some((p) => p.baseline !== null))
    items.push(
      h(
        "li",
        {},
        s(
          "svg",
          { class: "mark", "data-mark": "baseline", viewBox: "0 0 16 16", "aria-hidden": "true" },
          s("path", { d: "M0 8h16" }),
        ),
        "base rate alone",
      ),
    );
  return h("ul", { class: "legend" }, items);
}

/** @param {Mark} mark @param {Point[]} points */
function markWords(mark, points) {
  if (mark === "serving") return "serving model then, same rows";
  if (mark !== "other") return stateWords(mark, "model");
  const states = new Set(points.filter((p) => p.mark === mark).map((p) => stateWords(p.state, "model")));
  return [...states].join(", ");
}

/** @param {Mark} mark */
function markShape(mark) {
  return s(
    "svg",
    { class: "mark", "data-mark": mark, viewBox: "0 0 16 16", "aria-hidden": "true" },
    SHAPES[mark](),
  );
}

/** @param {Point[]} points @param {Metric} metric */
function numbers(points, metric) {
  const columns = [
    { title: "Version" },
    { title: "Became" },
    { title: "When" },
    { title: metric.title, right: true },
    { title: "Serving model, same rows", right: true },
  ];
  const rows = points.map((p) => [
    number(p.version),
    stateWords(p.state, "model"),
    ago(p.time),
    metric.text(p.value),
    metric.text(p.champion),
  ]);
  return gridTable(`${metric.title} by version`, columns, rows.reverse());
}

/** @type {import("./chart.js").Drawing<{ points: Point[], metric: MetricName }>} */
function options({ points, metric }, colours, width) {
  const hover = tip((place) => tipLines(points[place], METRICS[metric]));
  const every = Math.max(1, Math.ceil((points.length * 46) / width));
  return {
    data: [
      points.map((_, place) => place),
      points.map((p) => p.value),
      points.map((p) => p.champion),
      points.map((p) => p.baseline),
    ],
    options: {
      height: 320,
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: () => [-0.5, Math.max(points.length, 4) - 0.5] },
        y: { range: (_, low, high) => padded(low, high) },
      },
      axes: [
        axis(colours, {
          grid: { show: false },
          size: 42,
          splits: () => points.map((_, place) => place).filter((place) => place % every === 0),
          values: (_, splits) =>
            splits.map((place) => `v${points[place].version}\n${day(points[place].time)}`),
        }),
        axis(colours, {
          size: 62,
          values: (_, splits) => splits.map(METRICS[metric].text),
        }),
      ],
      series: [
        {},
        { show: true, paths: () => null, points: { show: false } },
        { paths: () => null, points: { show: false } },
        { stroke: colours["ink-3"], width: 1.5, dash: [4, 4], points: { show: false } },
      ],
      hooks: {
        init: [hover.init],
        setCursor: [hover.setCursor],
        draw: [(plot) => paint(plot, points, colours)],
      },
    },
  };
}

/** @param {number} low @param {number} high @returns {[number, number]} */
function padded(low, high) {
  const room = (high - low || Math.abs(high) * 0.1 || 1) * 0.14;
  return [low - room, high + room];
}

/** @param {Point} p @param {Metric} metric */
function tipLines(p, metric) {
  const lines = [`Version ${p.version}: ${stateWords(p.state, "model")}`, `${metric.title} ${metric.text(p.value)}`];
  if (p.champion !== null) lines.push(`Serving model then: ${metric.text(p.champion)}`);
  return [...lines, day(p.time)];
}

/** @param {uPlot} plot @param {Point[]} points @param {Colours} colours */
function paint(plot, points, colours) {
  const { ctx } = plot;
  const ratio = devicePixelRatio || 1;
  ctx.save();
  ctx.lineCap = "round";
  ctx.setLineDash([]);
  paintService(plot, points, colours, ratio);
  points.forEach((p, place) => {
    const x = plot.valToPos(place, "x", true);
    const y = plot.valToPos(p.value, "y", true);
    if (p.champion !== null) paintChampion(ctx, x, y, plot.valToPos(p.champion, "y", true), colours, ratio);
    paintMark(ctx, p.mark, x, y, colours, ratio);
  });
  ctx.restore();
}

/**
 * A thin line from one model that answered to the next.
 * @param {uPlot} plot
 * @param {Point[]} points
 * @param {Colours} colours
 * @param {number} ratio pixels of the canvas for one of the page
 */
function paintService(plot, points, colours, ratio) {
  const { ctx } = plot;
  ctx.strokeStyle = colours.accent;
  ctx.globalAlpha = 0.35;
  ctx.lineWidth = 1.5 * ratio;
  ctx.beginPath();
  points.forEach((p, place) => {
    if (SERVED.includes(p.mark))
      ctx.lineTo(plot.valToPos(place, "x", true), plot.valToPos(p.value, "y", true));
  });
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} champion
 * @param {Colours} colours
 * @param {number} ratio
 */
function paintChampion(ctx, x, y, champion, colours, ratio) {
  ctx.strokeStyle = colours["ink-3"];
  ctx.lineWidth = 1.2 * ratio;
  line(ctx, x, y, x, champion);
  ctx.lineWidth = 2.4 * ratio;
  line(ctx, x - 7 * ratio, champion, x + 7 * ratio, champion);
}

/** The colour of a mark that is of no model that answered. @type {Partial<Record<Mark, (colours: Colours) => string>>} */
const STROKES = {
  refused: (colours) => colours.bad,
  "rolled-back": (colours) => colours.gold,
  other: (colours) => colours["ink-3"],
};

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Mark} mark
 * @param {number} x
 * @param {number} y
 * @param {Colours} colours
 * @param {number} ratio
 */
function paintMark(ctx, mark, x, y, colours, ratio) {
  const r = 5.5 * ratio;
  ctx.lineWidth = 2.2 * ratio;
  ctx.strokeStyle = STROKES[mark]?.(colours) ?? colours.accent;
  ctx.fillStyle = mark === "released" ? colours.accent : colours.surface;
  ctx.beginPath();
  if (mark === "refused") {
    line(ctx, x - r, y - r, x + r, y + r);
    line(ctx, x + r, y - r, x - r, y + r);
    return;
  }
  if (mark === "rolled-back") {
    ctx.moveTo(x, y - r * 1.2);
    ctx.lineTo(x + r * 1.2, y);
    ctx.lineTo(x, y + r * 1.2);
    ctx.lineTo(x - r * 1.2, y);
    ctx.closePath();
  } else if (mark === "other") ctx.rect(x - r, y - r, 2 * r, 2 * r);
  else ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.fill();
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 */
function line(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
