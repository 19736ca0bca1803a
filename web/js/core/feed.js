/** One resource of the API as the page knows it: its last value, whether that is fresh, and what went wrong. */

import { address, ask } from "../../public/js/api.js";

export class Feed {
  #tag = null;
  #asking = null;

  /** wanted(): whether it is worth asking yet; a resource that cannot be there is not asked for. */
  constructor(path, query = {}, wanted = () => true) {
    this.wanted = wanted;
    this.path = path;
    this.query = query;
    this.url = address(path, query);
    this.value = null;
    this.error = null;
  }

  get state() {
    if (this.value) return "ready";
    return this.error ? "failed" : "loading";
  }

  /** Asks whether there is something new. Returns whether anything to show has changed; raises nothing. */
  refresh(signal) {
    if (!this.wanted()) return Promise.resolve(false);
    this.#asking ??= this.#ask(signal).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(signal) {
    try {
      const answer = await ask(this.url, { etag: this.#tag, signal });
      const mended = this.error !== null;
      this.error = null;
      if (!answer.changed) return mended;
      this.#tag = answer.etag;
      this.value = answer.value;
      return true;
    } catch (error) {
      if (error.name === "AbortError") return false;
      const news = this.error?.message !== error.message;
      this.error = error;
      if (error.status === 404) {
        this.value = null;
        this.#tag = null;
      }
      return news;
    }
  }
}
