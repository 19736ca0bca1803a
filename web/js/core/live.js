/**
 * Keeps the page current with one open request per window.
 *
 * /api/status is long-polled: the answer comes when something has changed. Then the feeds of the view are asked
 * conditionally, one after the other, and otherwise every LOOK seconds (a latency changes without a transition).
 * Whatever goes wrong, the next try waits longer, up to LONGEST; a hidden window asks nothing.
 */

import { address, ask } from "./api.js";
import { serverSaidNow } from "./format.js";

const WAIT = 50;
const LOOK = 15;
const SHORTEST = 1;
const LONGEST = 60;

export class Live {
  status = null;
  state = "connecting";
  retryAt = null;
  #tag = null;
  #feeds = [];
  #failures = 0;
  #stopped = new AbortController();
  #sleeping = null;
  #looked = 0;

  /** told(): called after anything to show has changed. */
  constructor(told) {
    this.told = told;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#pause() : this.hurry()));
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.#lose(new Error("This device is offline.")));
  }

  /** What the view shows besides the status. They are asked at once. */
  watch(feeds) {
    this.#feeds = feeds;
    return this.#refresh();
  }

  /** Never returns: the loop of the page. */
  async run() {
    setInterval(() => this.#look(), 1000);
    for (;;) {
      const began = performance.now();
      const pause = await this.#once();
      // A server that does not wait must not be asked again at once.
      const quick = performance.now() - began < 1000 * SHORTEST;
      await this.#sleep(Math.max(pause, quick ? SHORTEST : 0.05));
    }
  }

  /** Try again now, and look at everything. */
  hurry() {
    this.#sleeping?.();
    this.#looked = 0;
  }

  async #once() {
    if (document.hidden) return LONGEST;
    try {
      const wait = this.#tag && this.state === "live" ? WAIT : null;
      const answer = await ask(address("status", { wait }), {
        etag: this.#tag,
        signal: this.#stopped.signal,
      });
      const was = this.state;
      this.#failures = 0;
      this.state = "live";
      this.retryAt = null;
      if (answer.changed) {
        this.#tag = answer.etag;
        this.status = answer.value;
        serverSaidNow(answer.value.now);
      }
      if (answer.changed || was !== "live") {
        this.told();
        await this.#refresh();
      }
      return 0;
    } catch (error) {
      if (error.name === "AbortError") return 0;
      return this.#lose(error);
    }
  }

  /** Notes a failure; returns how many seconds to wait. */
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
    this.told();
    return pause;
  }

  #look() {
    if (this.state !== "live" || document.hidden || Date.now() - this.#looked < 1000 * LOOK) return;
    this.#refresh();
  }

  async #refresh() {
    this.#looked = Date.now();
    for (const feed of this.#feeds) {
      if (await feed.refresh(this.#stopped.signal)) this.told();
    }
  }

  #pause() {
    this.#stopped.abort();
    this.#stopped = new AbortController();
  }

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
