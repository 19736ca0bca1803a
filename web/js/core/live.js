/**
 * Long polling: one open request per window, by which the page stays current.
 *
 * /api/status is long-polled: the answer comes when something has changed. Then the few feeds of the view are requested
 * conditionally, and otherwise every POLL seconds (a latency changes without a transition).
 * Whatever goes wrong, the next try waits longer, up to LONGEST; a hidden window requests nothing.
 */

import { address, isAborted, request } from "../../public/js/api.js";
import { serverSaidNow } from "./format.js";

const WAIT = 50;
const POLL = 15;
const SHORTEST = 0.5;
const UNHELD = 5;
const LONGEST = 60;

export class Live {
  /** @type {Api.SystemStatus | null} */
  status = null;
  /** @type {"connecting" | "live" | "lost"} */
  state = "connecting";
  /** @type {number | null} milliseconds */
  retryAt = null;
  /** @type {Page.Trouble | null} */
  error = null;
  /** @type {string | null} */
  #tag = null;
  /** @type {import("./feed.js").Feed<any>[]} */
  #feeds = [];
  #failures = 0;
  #quick = 0;
  #stopped = new AbortController();
  /** @type {(() => void) | null} */
  #sleeping = null;
  #polled = 0;

  /** @param {() => void} changed called after anything to show has changed */
  constructor(changed) {
    this.changed = changed;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#pause() : this.hurry()));
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.#lose(new Error("This device is offline.")));
  }

  /**
   * What the view shows besides the status. They are requested at once.
   * @param {import("./feed.js").Feed<any>[]} feeds
   */
  watch(feeds) {
    this.#feeds = feeds;
    return this.#refresh();
  }

  /** Never returns: the loop of the page. */
  async run() {
    setInterval(() => this.#poll(), 1000);
    for (;;) await this.#sleep(Math.max(SHORTEST, await this.#once()));
  }

  /** Try again now, and refresh everything. */
  hurry() {
    if (this.state === "lost") this.#pause();
    this.#sleeping?.();
    this.#polled = 0;
  }

  /** Requests the status; returns how many seconds to wait before the next time. */
  async #once() {
    if (document.hidden) return LONGEST;
    const began = performance.now();
    try {
      const wait = this.#tag && this.state === "live" ? WAIT : null;
      const options = { etag: this.#tag, signal: this.#stopped.signal };
      const answer = await request(address("status", { wait }), options);
      await this.#received(answer);
      return this.#afterAnswer(answer, performance.now() - began);
    } catch (error) {
      return isAborted(error) ? 0 : this.#lose(/** @type {Page.Trouble} */ (error));
    }
  }

  /**
   * An app that does not hold its answers back is polled ever less often, down to every UNHELD seconds.
   * @param {Api.Answered<Api.SystemStatus>} answer
   * @param {number} milliseconds
   */
  #afterAnswer(answer, milliseconds) {
    this.#quick = answer.changed || milliseconds > 2000 ? 0 : this.#quick + 1;
    return Math.min(this.#quick, answer.retryAfter ?? UNHELD);
  }

  /** @param {Api.Answered<Api.SystemStatus>} answer */
  async #received(answer) {
    const was = this.state;
    this.#failures = 0;
    this.state = "live";
    this.retryAt = null;
    if (answer.changed) {
      this.#tag = answer.etag;
      this.status = answer.value;
      serverSaidNow(answer.value.asOf);
    }
    if (!answer.changed && was === "live") return;
    this.changed();
    await this.#refresh();
  }

  /** Notes a failure; returns how many seconds to wait. @param {Page.Trouble} error */
  #lose(error) {
    if (error.status === 401) {
      location.reload();
      return LONGEST;
    }
    this.#failures += 1;
    // Spread, so that all windows do not come back in the same moment.
    const backoff = Math.min(LONGEST, 2 ** (this.#failures - 1)) * (0.75 + Math.random() / 2);
    const pause = Math.max(SHORTEST, error.retryAfter ?? 0, backoff);
    this.state = "lost";
    this.error = error;
    this.retryAt = Date.now() + 1000 * pause;
    this.changed();
    return pause;
  }

  #poll() {
    if (this.state !== "live" || document.hidden || Date.now() - this.#polled < 1000 * POLL) return;
    this.#refresh();
  }

  async #refresh() {
    this.#polled = Date.now();
    const { signal } = this.#stopped;
    const refreshed = (/** @type {import("./feed.js").Feed<any>} */ feed) => feed.refresh(signal).then((news) => news && this.changed());
    const unwanted = this.#feeds.filter((feed) => !feed.wanted());
    await Promise.all(this.#feeds.map(refreshed));
    // What the others brought may make some worth requesting.
    await Promise.all(unwanted.map(refreshed));
  }

  #pause() {
    this.#stopped.abort();
    this.#stopped = new AbortController();
  }

  /** @param {number} seconds @returns {Promise<void>} */
  #sleep(seconds) {
    return new Promise((done) => {
      const timer = setTimeout(done, 1000 * seconds);
      this.#sleeping = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
