/** The frame around the views: navigation, search, connection, and what everybody must know. */

import { actionButton } from "./core/actions.js";
import { note, say } from "./core/announce.js";
import { element, h, show } from "./core/dom.js";
import { plural } from "./core/format.js";
import { to } from "./core/router.js";
import { leave, mayAct, mayAudit, scopeName } from "./core/session.js";
import { bindShortcuts } from "./core/shortcuts.js";
import { goingCount } from "./core/states.js";
import { bindTheme } from "./core/theme.js";
import { resume } from "./parts/operator.js";

/** @import { Live } from "./core/live.js" */

/** @param {Live} live @param {() => void} redraw */
export function bindShell(live, redraw) {
  bindTheme(element("theme"), () => {
    document.dispatchEvent(new Event("campanha:colours"));
    redraw();
  });
  bindShortcuts();
  element("skip").addEventListener("click", (event) => {
    event.preventDefault();
    element("main").focus();
  });
  element("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = /** @type {HTMLInputElement} */ (element("search-name")).value.trim();
    if (name) location.hash = to("trace", ...name.split("/"));
  });
  element("sign-out").addEventListener("click", () =>
    leave().catch((error) => note(error.message, { tone: "bad" })),
  );
  bindMenu();
  setInterval(() => drawConnection(live), 1000);
}

function bindMenu() {
  const open = (/** @type {boolean} */ yes) => {
    element("side").toggleAttribute("data-open", yes);
    element("menu").setAttribute("aria-expanded", String(yes));
    if (yes) element("nav").querySelector("a")?.focus();
  };
  element("menu").addEventListener("click", () => open(!element("side").hasAttribute("data-open")));
  element("nav").addEventListener("click", () => open(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && element("side").hasAttribute("data-open")) {
      open(false);
      element("menu").focus();
    }
  });
  element("main").addEventListener("click", () => open(false));
}

/**
 * Everything around the view, as things are now.
 * @param {Live} live
 * @param {{ here: Page.Route } | null} shown
 * @param {Api.HealthReport | null} health
 */
export function drawShell(live, shown, health) {
  drawConnection(live);
  drawNotices(live, health);
  drawNavigation(live.status, shown?.here.view);
  if (live.status) {
    show(
      element("side-foot"),
      h("span", {}, h("strong", {}, mayAct() ? "You may act" : "You may read"), ` as ${scopeName()}`),
      h("span", {}, plural(live.status.datasets.length, "dataset")),
    );
  }
}

/** @param {Live} live */
function drawConnection(live) {
  const place = element("connection");
  const left = live.retryAt ? Math.max(0, Math.ceil((live.retryAt - Date.now()) / 1000)) : 0;
  const text = {
    connecting: "Connecting",
    live: "Live",
    lost: left ? `No connection, again in ${left} s` : "No connection, trying",
  }[live.state];
  if (place.dataset.state !== live.state) {
    if (live.state === "lost") say("The connection is lost. What is shown may be old.");
    if (live.state === "live" && place.dataset.state === "lost") say("Connected again.");
    place.dataset.state = live.state;
  }
  const words = /** @type {Element} */ (place.querySelector(".connection-text"));
  if (words.textContent !== text) words.textContent = text;
}

/** Checks of the health report that say that nobody would be told. */
const TELLS = "alerts:";

/** @param {Live} live @param {Api.HealthReport | null} health */
function drawNotices(live, health) {
  const notices = [];
  for (const [name, checks] of Object.entries(health?.checks ?? {})) {
    if (!name.startsWith(TELLS)) continue;
    const said = checks.map((check) => check.output ?? "").join("; ");
    notices.push(
      h(
        "div",
        { class: "notice", "data-tone": "bad", key: name },
        h("span", {}, h("strong", {}, "Alerts. "), said.charAt(0).toUpperCase() + said.slice(1), ". "),
        h("a", { class: "more", href: to("alerts") }, "Alerts"),
      ),
    );
  }
  if (live.state === "lost") {
    notices.push(
      h(
        "div",
        { class: "notice", "data-tone": "bad", key: "lost" },
        h(
          "span",
          {},
          h("strong", {}, "Connection lost. "),
          live.status ? "What you see may be old. " : "",
          live.error?.message ?? "",
        ),
        h("button", { type: "button", class: "button", on: { click: () => live.hurry() } }, "Try now"),
      ),
    );
  }
  if (live.status?.paused) {
    notices.push(
      h(
        "div",
        { class: "notice", key: "paused" },
        h(
          "span",
          {},
          h("strong", {}, "Paused. "),
          "No run, batch or release is begun; files that arrive are taken in. The endpoint goes on answering.",
        ),
        actionButton(resume(), live),
      ),
    );
  }
  const changed = live.status?.changedSettings ?? [];
  if (changed.length) {
    const told = changed.map(
      (one) => `${one.name} is ${one.value} instead of ${one.default} (${one.changedBy}: ${one.changedBecause})`,
    );
    notices.push(
      h("div", { class: "notice", key: "config" }, h("span", {}, h("strong", {}, "Changed settings. "), told.join("; "))),
    );
  }
  show(element("notices"), notices);
}

/** Tone and words of the counts beside a link that are of nothing under way. @type {Record<string, [Page.Tone, string]>} */
const COUNTED = { quarantine: ["bad", " waiting"], alerts: ["bad", " raised"] };

/** @param {Api.SystemStatus | null} status @param {string | undefined} view */
function drawNavigation(status, view) {
  const place = view === "datasets" ? "files" : view;
  for (const link of element("nav").querySelectorAll("a")) {
    if (link.dataset.view === place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  element("nav-audit").hidden = !mayAudit();
  if (!status) return;
  const counts = {
    alerts: status.openAlerts.length,
    quarantine: status.stateCounts.quarantine?.held ?? 0,
    runs: goingCount(status, "run"),
    batches: goingCount(status, "batch"),
  };
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (element("nav").querySelectorAll("[data-count]"))) {
    const many = counts[/** @type {keyof typeof counts} */ (place.dataset.count)];
    const [tone, meaning] = COUNTED[place.dataset.count ?? ""] ?? ["run", " under way"];
    place.dataset.tone = tone;
    show(place, many ? [many, h("span", { class: "visually-hidden" }, meaning)] : []);
  }
}
