/** Alerts: what is the matter and what was, one alert, and whether people can be told. */

import { actionButton } from "../core/actions.js";
import { h } from "../core/dom.js";
import { resource } from "../core/feed.js";
import { ago, moment, plural } from "../core/format.js";
import { to, toRecord } from "../core/router.js";
import { choices, tone } from "../core/states.js";
import { alertLine } from "../parts/alertline.js";
import { badge } from "../parts/badge.js";
import { facts, reason } from "../parts/facts.js";
import { head, segments } from "../parts/head.js";
import { tryChannels } from "../parts/operator.js";
import { fromFeed, nothing, panel } from "../parts/panel.js";
import { gridTable, noneOnPage, pages } from "../parts/table.js";

/** @param {Page.Route} here */
export const title = (here) => here.parts[0] ?? "Alerts";
/** @param {Page.Route} here */
export function feeds({ parts: [id], query }) {
  if (id) return { alert: resource("alerts/{id}", { id }) };
  return { alerts: resource("alerts", { maxpagesize: 50, state: query.get("state"), after: query.get("after") }) };
}

/** @param {Page.Shown<typeof feeds>} shown */
export function draw({ here, status, feeds, live }) {
  if (feeds.alerts) return list(here, feeds.alerts, status, live);
  return [
    head({
      title: title(here),
      crumbs: [["Alerts", to("alerts")]],
      mark: feeds.alert.value && badge(feeds.alert.value.state, "alert"),
    }),
    fromFeed(feeds.alert, one),
  ];
}

/**
 * @param {Page.Route} here
 * @param {import("../core/feed.js").Feed<"alerts">} feed
 * @param {Api.SystemStatus} status
 * @param {import("../core/live.js").Live} live
 */
function list(here, feed, status, live) {
  const chosen = here.query.get("state") ?? "";
  return [
    head({
      title: "Alerts",
      lead: "Somebody is told when something is the matter: once for each cause, and again when it is over.",
      tools: actionButton(tryChannels(), live),
    }),
    h(
      "div",
      { class: "stack" },
      channels(status.notifier),
      segments(
        "Which alerts",
        choices("alert").map(([text, state]) => [text, to("alerts", { state }), state === chosen]),
      ),
      panel(
        { title: "Newest first", flush: true },
        fromFeed(
          feed,
          (value) => [
            value.value.length > 0 ? h("ul", { class: "lines" }, value.value.map(alertLine)) : noneOnPage(),
            pages(value, ["alerts"], here.query),
          ],
          chosen
            ? nothing("No alert in this state")
            : nothing("No alert yet", "Active alerts, and those that are over, are listed here."),
        ),
      ),
    ),
  ];
}

/** @param {Api.Notifier} notifier */
function channels(notifier) {
  if (notifier.status === "none") {
    return reason(
      "No alert channel is set up: nobody is told.",
      "warn",
      ["Set ", h("code", {}, "ALERT_CHANNELS"), " for Teams, Slack, PagerDuty or mail, as docs/alerts.md says."],
    );
  }
  return panel(
    { title: "Who is told" },
    gridTable(
      "Alert channels",
      [{ title: "Channel" }, { title: "State" }, { title: "Took a message" }, { title: "The last try" }],
      notifier.channels.map((channel) => [
        channel.name,
        badge(channel.status, "health"),
        channel.deliveredAt ? ago(channel.deliveredAt) : "never yet",
        channel.problem ?? "",
      ]),
    ),
  );
}

/** Each with how soon a person is needed. @type {Record<string, string>} */
const SEVERITIES = { page: "page: now", ticket: "ticket: on the next working day" };

/** @param {Api.AlertValues} alert */
function one(alert) {
  const [kind, id] = alert.thing ?? [];
  return h(
    "div",
    { class: "stack" },
    panel(
      { title: alert.title },
      reason(alert.says, alert.state === "raised" ? "bad" : "rest", alert.state === "raised" && alert.mend && h("code", {}, alert.mend)),
      facts([
        ["Severity", SEVERITIES[alert.severity ?? ""] ?? alert.severity],
        ["Since", alert.startedAt && moment(alert.startedAt)],
        ["Notified at", alert.raisedAt && moment(alert.raisedAt)],
        ["Over", alert.overAt && moment(alert.overAt)],
        ["Dataset", alert.dataset],
        ["How many", alert.affectedCount && alert.affectedCount > 1 && plural(alert.affectedCount, "thing has this cause", "things have this cause")],
        ["Affected resource", kind && id && h("a", { href: toRecord(kind, id) }, id)],
        ["Runbook", alert.name !== "test" && h("code", {}, `docs/runbook.md#${alert.name}`)],
      ]),
    ),
    alert.deliveries &&
      panel(
        { title: "What came of it" },
        gridTable(
          "Deliveries",
          [{ title: "Channel" }, { title: "Outcome" }, { title: "Why" }],
          alert.deliveries.map((one) => [
            one.channel,
            h("span", { class: "badge", "data-tone": tone(/** @type {"delivered"} */ (one.outcome), "delivery") }, one.outcome),
            one.problem ?? "",
          ]),
        ),
      ),
  );
}
