/** The endpoint: which deployment answers, how much of the traffic, how healthy, how fast. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, clock, digits, milliseconds, number, percent, shown } from "../core/format.js";
import { to } from "../core/router.js";
import { badge } from "../parts/badge.js";
import { axis, chart, tip } from "../parts/chart.js";
import { facts } from "../parts/facts.js";
import { head } from "../parts/head.js";
import { rollBack } from "../parts/operator.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { gridTable, noneOnPage, pages } from "../parts/table.js";
import { chosenDataset, whichDataset } from "../parts/whichdataset.js";

export const title = () => "Endpoint";
/** What has traffic is requested by itself: newer deployments may be many. @param {Page.Route} here */
export function feeds({ query }) {
  const dataset = query.get("dataset");
  return {
    serving: resource("deployments", { dataset, state: "serving", maxpagesize: 10 }),
    canary: resource("deployments", { dataset, state: "canary", maxpagesize: 10 }),
    deployments: resource("deployments", { dataset, maxpagesize: 50, after: query.get("after") }),
  };
}

/** @typedef {{ at: number, p50: number | undefined, p95: number | undefined }} Point */

/**
 * Latencies as this page saw them, by deployment: the API gives only the newest.
 * @type {Map<string, Point[]>}
 */
const seen = new Map();
const MOST = 720;

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, status, feeds, live }) {
  const dataset = chosenDataset(here, status);
  const none = panel(
    { title: "Deployments" },
    nothing("No model is deployed yet", "The first model that is accepted is put behind the endpoint by itself."),
  );
  return [
    head({ title: "Endpoint", lead: "Where programs have rows scored in real time, one request at a time." }),
    h(
      "div",
      { class: "stack" },
      dataset ? [whichDataset(here, status, dataset), ofDataset(here, feeds, none, live)] : none,
    ),
  ];
}

/**
 * @param {Page.Route} here
 * @param {Page.Shown<typeof feeds>["feeds"]} feeds
 * @param {Page.Child} none shown where nothing was ever deployed
 * @param {import("../core/live.js").Live} live
 */
function ofDataset(here, { serving, canary, deployments }, none, live) {
  const answering = [serving, canary].flatMap((feed) => feed.value?.value ?? []);
  return fromFeed(
    deployments,
    (page) => {
      const all = new Map([...page.value, ...answering].map((each) => [each.id, each]));
      const found = byEndpoint([...all.values()]);
      return [
        found.map(([name, each]) => endpoint(name, each, live)),
        found.length === 0 && noneOnPage(),
        pages(page, ["endpoint"], here.query),
      ];
    },
    none,
  );
}

/**
 * What stands behind each endpoint, that with the most traffic first.
 * @param {Api.Deployment[]} deployments
 */
function byEndpoint(deployments) {
  /** @type {Map<string, Api.Deployment[]>} */
  const found = new Map();
  for (const deployment of [...deployments].sort((a, b) => b.trafficPercent - a.trafficPercent))
    found.set(deployment.endpoint, [...(found.get(deployment.endpoint) ?? []), deployment]);
  return [...found];
}

/** @param {string} name @param {Api.Deployment[]} deployments @param {import("../core/live.js").Live} live */
function endpoint(name, deployments, live) {
  const answering = deployments.filter((deployment) => deployment.trafficPercent > 0);
  const [first] = answering;
  for (const deployment of deployments) note(deployment);
  return h(
    "div",
    { class: "stack", key: name },
    panel(
      {
        title: name,
        tools: first && [
          h("a", { class: "button", href: to("api", { dataset: first.dataset }) }, "Try it"),
          actionButton(rollBack(first.dataset, first.version), live),
        ],
      },
      h(
        "div",
        { class: "deployment" },
        h(
          "div",
          {
            class: "traffic",
            role: "img",
            "aria-label":
              answering.map((each) => `${each.deployment} ${each.trafficPercent} % of the traffic`).join(", ") ||
              "no traffic",
          },
          answering.map((each) =>
            h("span", { vars: { "--share": each.trafficPercent } }, `${each.deployment}  ${each.trafficPercent} %`),
          ),
        ),
        answering.map((deployment) => deployment.health && health(deployment.health)),
        table(deployments),
      ),
    ),
    first &&
      panel(
        {
          title: "Latency",
          about:
            "As this page saw it since it was opened: the p50 and p95 of the requests' times.",
        },
        latency(first),
      ),
  );
}

/** @param {Api.DeploymentHealth} health */
function health(health) {
  return facts([
    ["Health", badge(health.status, "health"), true],
    ["p50", shown(health.p50Ms, milliseconds(health.p50Ms)), true],
    ["p95", shown(health.p95Ms, milliseconds(health.p95Ms)), true],
    ["Requests", number(health.requests), true],
    [
      "Errors",
      h(
        "span",
        { class: health.errors ? "worse" : null },
        number(health.errors),
        health.requests > 0 && ` (${percent(health.errors / health.requests, 2)})`,
      ),
      true,
    ],
  ]);
}

/** @param {Api.Deployment[]} deployments */
function table(deployments) {
  const columns = [
    { title: "Deployment" },
    { title: "Model" },
    { title: "State" },
    { title: "Traffic", right: true },
    { title: "p50", right: true },
    { title: "p95", right: true },
    { title: "Since" },
  ];
  return gridTable(
    "Deployments",
    columns,
    deployments.map((each) => [
      each.deployment,
      h("a", { href: to("models", each.dataset, each.version) }, `${each.dataset}:${each.version}`),
      badge(each.state, "deployment"),
      `${each.trafficPercent} %`,
      milliseconds(each.health?.p50Ms),
      milliseconds(each.health?.p95Ms),
      ago(each.releasedAt),
    ]),
  );
}

// --- latency ---------------------------------------------------------------------------------------------------------

/** @param {Api.Deployment} deployment */
function note({ id, health }) {
  if (!health) return;
  const points = seen.get(id) ?? [];
  const last = points.at(-1);
  const at = Math.round(Date.now() / 1000);
  if (last && at - last.at < 5) return;
  points.push({ at, p50: health.p50Ms, p95: health.p95Ms });
  seen.set(id, points.slice(-MOST));
}

/** @param {Api.Deployment} deployment */
function latency({ id }) {
  const points = seen.get(id) ?? [];
  if (points.length === 0)
    return nothing(
      "No figures yet",
      "They come with the first requests, and when the app has probed the endpoint.",
    );
  if (points.length < 2) return nothing("Two measurements are needed", "The second comes in a quarter of a minute.");
  const last = points[points.length - 1];
  const numbers = gridTable(
    "Latency",
    [{ title: "At" }, { title: "p50", right: true }, { title: "p95", right: true }],
    points
      .slice(-30)
      .reverse()
      .map((point) => [
        clock(new Date(1000 * point.at).toISOString()),
        milliseconds(point.p50),
        milliseconds(point.p95),
      ]),
  );
  return chart(
    {
      key: `latency-${id}`,
      high: 220,
      label: `Latency, last: p50 ${milliseconds(last.p50)}, p95 ${milliseconds(last.p95)}`,
      numbers,
    },
    points,
    latencyOptions,
  );
}

/** @type {import("../parts/chart.js").Drawing<Point[]>} */
function latencyOptions(points, colours) {
  const hover = tip((place) => [
    `p50 ${milliseconds(points[place].p50)}`,
    `p95 ${milliseconds(points[place].p95)}`,
  ]);
  const dots = { points: { show: points.length < 40, size: 5 } };
  return {
    data: [points.map((p) => p.at), points.map((p) => p.p50), points.map((p) => p.p95)],
    options: {
      height: 220,
      cursor: { y: false, drag: { x: false } },
      scales: { y: { range: (_, low, high) => [0, Math.max(high * 1.15, 1)] } },
      axes: [
        axis(colours, { grid: { show: false } }),
        axis(colours, { size: 58, values: (_, splits) => splits.map((value) => `${digits(value, 0)} ms`) }),
      ],
      series: [
        {},
        { stroke: colours.accent, width: 2, fill: colours["accent-soft"], ...dots },
        { stroke: colours.gold, width: 2, ...dots },
      ],
      hooks: { init: [hover.init], setCursor: [hover.setCursor] },
    },
  };
}
