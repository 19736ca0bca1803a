/** The page: one live connection, one view at a time. */

import { address, isPassing } from "../public/js/api.js";
import { say } from "./core/announce.js";
import { element, h, show } from "./core/dom.js";
import { Feed } from "./core/feed.js";
import { tickTimes } from "./core/format.js";
import { Live } from "./core/live.js";
import { route } from "./core/router.js";
import { begin } from "./core/session.js";
import { bindShell, drawShell } from "./shell.js";

/** @typedef {{ view: Page.View, here: Page.Route, place: string, feeds: Record<string, Feed<any>> }} Seen */

const VIEWS = new Set([
  "now",
  "flow",
  "trace",
  "files",
  "datasets",
  "quarantine",
  "runs",
  "models",
  "batches",
  "endpoint",
  "api",
  "alerts",
  "open",
  "events",
  "audit",
]);
const main = element("main");
const HEALTH_MILLISECONDS = 60_000;
const LONGEST_PAUSE = 60;
const live = new Live(draw);
/** What the app says of itself: that it notices and tells nothing any more moves no record, so it is looked for. */
const health = new Feed(address("health"));
/** @type {Seen | null} */
let shown = null;

/** Loads the view that the address names and requests what it shows. */
async function go() {
  const address = location.hash;
  if (address.startsWith("#key=")) location.reload();
  if (address && !address.startsWith("#/")) return;
  const here = route(address);
  const name = VIEWS.has(here.view) ? here.view : "lost";
  const view = /** @type {Page.View} */ (await import(`./views/${name}.js`));
  if (location.hash !== address) return;
  const moved = shown !== null && shown.place !== `${here.view}/${here.parts.join("/")}`;
  shown = {
    view,
    here,
    place: `${here.view}/${here.parts.join("/")}`,
    feeds: feeds(view, here, moved ? {} : (shown?.feeds ?? {})),
  };
  draw();
  if (moved) arrive();
  await live.watch(Object.values(shown.feeds));
}

/**
 * The view's feeds; those it had already stay, with what they know.
 * @param {Page.View} view
 * @param {Page.Route} here
 * @param {Record<string, Feed<any>>} before
 */
function feeds(view, here, before) {
  /** @type {Record<string, Feed<any>>} */
  const made = {};
  for (const [name, wanted] of Object.entries(view.feeds?.(here) ?? {})) {
    if (!wanted) continue;
    const same = before[name]?.url.href === wanted.url.href;
    made[name] = same ? before[name] : new Feed(wanted.url, () => wanted.wanted(made, live.status));
  }
  return made;
}

function arrive() {
  scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
  say(document.title);
}

function draw() {
  drawShell(live, shown, health.value);
  if (!shown) return;
  const { view, here } = shown;
  document.title = `${view.title(here)} · Campanha`;
  main.dataset.shows = here.hash;
  if (!live.status) {
    show(
      main,
      live.state === "lost"
        ? h(
            "p",
            { class: "failed", role: "alert" },
            h("strong", {}, "No connection"),
            live.error?.message ?? "",
          )
        : h("p", { class: "loading", role: "status" }, "Loading …"),
    );
    return;
  }
  show(main, view.draw({ here, status: live.status, feeds: shown.feeds, live, redraw: draw }));
}

async function watchHealth() {
  if (!document.hidden && (await health.refresh())) draw();
}

/** What runs goes on between two answers: its bars grow by the clock. */
function tick() {
  tickTimes();
  if (!document.hidden && shown?.view.moves?.(live.status, shown.feeds)) draw();
}

/**
 * Learns who is looking; returns false where somebody has to sign in first.
 *
 * An app that is away is asked again, ever less often: until it answers, the page shows what a reader sees.
 * @param {number} pause seconds before it is asked again
 */
async function learnScope(pause = 1) {
  try {
    await begin();
  } catch (thrown) {
    const error = /** @type {Page.Trouble} */ (thrown);
    if (error.status === 401) {
      location.replace(`public/signin.html${location.hash}`);
      return false;
    }
    if (isPassing(error)) setTimeout(relearnScope, 1000 * Math.max(pause, error.retryAfter ?? 0), Math.min(LONGEST_PAUSE, 2 * pause));
    else say(error.message);
  }
  return true;
}

/** @param {number} pause seconds */
async function relearnScope(pause) {
  if (await learnScope(pause)) draw();
}

async function start() {
  if (!(await learnScope())) return;
  bindShell(live, draw);
  addEventListener("hashchange", go);
  setInterval(tick, matchMedia("(prefers-reduced-motion: reduce)").matches ? 5000 : 1000);
  live.run();
  setInterval(watchHealth, HEALTH_MILLISECONDS);
  await Promise.all([go(), watchHealth()]);
}

await start();
